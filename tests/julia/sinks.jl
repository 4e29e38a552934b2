"""
What DataFrames.jl, CSV.jl and Query.jl ask of a table, call by call, as their sources have it (1.8.2, 0.10.16 and 1.0.0):
`src/other/tables.jl`, `src/write.jl`, and `source_iterable.jl` of QueryOperators.jl.
"""
module Sinks

using Tables
using Tables: IteratorInterfaceExtensions, TableTraits

"`DataFrame(table; copycols = false)`: its columns, by name."
function frame(table)
    found = Tables.columns(table)
    return Dict(name => Tables.getcolumn(found, name) for name in collect(Symbol, Tables.columnnames(found)))
end

"`CSV.write(io, table)`: a line of names, then a line for each row."
function csv(table)
    io, rows = IOBuffer(), Tables.rows(table)
    schema = Tables.schema(rows)
    cells(row, known) = (values = []; Tables.eachcolumn((value, i, name) -> push!(values, value), known, row); values)
    if schema === nothing
        next = iterate(rows)
        next === nothing && return ""
        schema = Tables.Schema(Tables.columnnames(next[1]), nothing)
    end
    println(io, join(schema.names, ','))
    for row in rows
        println(io, join((coalesce(value, "") for value in cells(row, schema)), ','))
    end
    return String(take!(io))
end

"An iterator over those rows of a table that `keep` is true for: `table |> @filter(...)`."
struct Filter{T,S}
    source::S
    keep::Any
end
function query(keep, table)
    IteratorInterfaceExtensions.isiterable(table) || error("not iterable")
    typed = IteratorInterfaceExtensions.getiterator(table)
    return Filter{eltype(typed),typeof(typed)}(typed, keep)
end
Base.IteratorSize(::Type{<:Filter}) = Base.SizeUnknown()
Base.eltype(::Type{<:Filter{T}}) where {T} = T
function Base.iterate(x::Filter, state...)
    next = iterate(x.source, state...)
    while next !== nothing && !x.keep(next[1])
        next = iterate(x.source, next[2])
    end
    return next
end

end
