# The tables that `share` takes, as named columns of one length.

"Functions `table -> nothing | (kind, columns, rows)` of packages that are loaded (Tables.jl)."
const TABULAR = Any[]

"""
A table's kind, its columns by label, its number of rows, and what each column was read as, or `nothing`. Throws
[`UnsupportedSource`](@ref).
"""
@noinline function to_columns(@nospecialize(table))
    if table isa SharedTable
        columns = Pair{String,Any}[name => column(table, i) for (i, name) in enumerate(names(table))]
        origins = Any[Origin(field, source_of(table).pools) for field in fields_of(table)]
        return "SharedTable", columns, size(table, 1), origins
    elseif table isa NamedTuple && all(value -> value isa AbstractVector, values(table))
        return with_rows("NamedTuple", Pair{String,Any}[String(key) => value for (key, value) in pairs(table)])
    elseif table isa AbstractDict && all(is_labelled, pairs(table))
        columns = Pair{String,Any}[string(key) => value for (key, value) in pairs(table)]
        # A Dict has no order; sorted, the same table is the same file.
        return with_rows("Dict", table isa Dict ? sort!(columns; by = first) : columns)
    elseif table isa AbstractVector && !isempty(table) && all(x -> x isa Pair && is_labelled(x), table)
        return with_rows("vector of pairs", Pair{String,Any}[string(key) => value for (key, value) in table])
    elseif table isa AbstractVector && eltype(table) <: NamedTuple && isconcretetype(eltype(table))
        N = eltype(table)
        columns = Pair{String,Any}[
            String(fieldname(N, k)) => Columns.flat_field(table, k, fieldtype(N, k), false) for k in 1:fieldcount(N)
        ]
        return "vector of NamedTuples", columns, length(table), nothing
    end
    for convert in TABULAR
        found = Base.invokelatest(convert, table)
        found === nothing || return (found..., nothing)
    end
    throw(UnsupportedSource(
        string(typeof(table)),
        "it is not a table",
        "Share a NamedTuple or Dict of vectors, a vector of NamedTuples, or any table of the Tables.jl interface.",
    ))
end

is_labelled((key, value)::Pair) = key isa Union{Symbol,AbstractString} && value isa AbstractVector
with_rows(kind::String, columns::Vector{Pair{String,Any}}) =
    kind, columns, isempty(columns) ? 0 : length(columns[1].second), nothing
