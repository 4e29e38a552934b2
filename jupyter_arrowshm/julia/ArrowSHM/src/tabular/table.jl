# An attached table: columns by name or number, each made when it is first used.

"""
    SharedTable

A table in shared memory, as [`attach`](@ref) returns it. `t.fare`, `t["a b"]`, `t[:fare]` and `t[1]` are
columns: read-only vectors, made on first use and then kept. It is like a `NamedTuple` of columns: `length(t)` and
iteration go over columns, `names(t)`, `keys(t)`, `size(t)` and `NamedTuple(t)` do what they do there and in DataFrames.

The table, each of its columns and each view of them keeps the memory for as long as it exists, even if the name is gone.
Writing into a column is an error (`ReadOnlyMemoryError` where it is a plain `Vector`): `copy` it first.

```jldoctest
julia> share("flights", ["carrier" => ["AA", "UA"], "air time" => [150, missing]]);

julia> t = attach("flights"); keys(t)
(:carrier, Symbol("air time"))

julia> t.carrier[1], t["air time"] === t[2], size(t)
("AA", true, (2, 2))

julia> t.carier
ERROR: ArgumentError: no column "carier" in "flights". Did you mean "carrier"?
```
"""
mutable struct SharedTable
    source::Source
    rows::Int
    names::Vector{Symbol}
    lookup::IdDict{Any,Any}
    starts::Vector{Start}
    batches::Vector{Batch}
    columns::Vector{Any}
end

source_of(t::SharedTable) = getfield(t, :source)
fields_of(t::SharedTable) = source_of(t).footer.fields

@noinline function SharedTable(source::Source)
    footer = source.footer
    batches, rows = Batch[], 0
    for block in footer.batches
        batch = read_batch(source.file.fd, block)
        push!(batches, batch)
        rows += batch.rows
    end
    names = unique_names(footer.fields)
    columns = Vector{Any}(undef, length(names))
    fill!(columns, nothing)
    return SharedTable(source, rows, names, lookup_of(names), column_starts(footer), batches, columns)
end

"The same table with only these columns, in this order."
function chosen(t::SharedTable, wanted::Vector{String})
    places = Int[get(() -> no_column(t, Symbol(name)), getfield(t, :lookup), symbol(name)) for name in wanted]
    whole = source_of(t)
    all = whole.footer
    footer = Footer(all.version, all.fields[places], all.metadata, all.facts, all.dictionaries, all.batches)
    source = Source(whole.name, whole.path, whole.version, whole.file, whole.bytes, footer, whole.dictionaries, whole.pools)
    names = unique_names(footer.fields)
    columns = Vector{Any}(nothing, length(names))
    return SharedTable(source, getfield(t, :rows), names, lookup_of(names), getfield(t, :starts)[places], getfield(t, :batches), columns)
end

"Column `i`, made if it does not exist yet."
@noinline function column(t::SharedTable, i::Int)
    columns = getfield(t, :columns)
    1 <= i <= length(columns) || throw(BoundsError(t, i))
    known = columns[i]
    known === nothing || return known
    source = source_of(t)
    made = try
        read_column(source, fields_of(t)[i], getfield(t, :batches), getfield(t, :starts)[i])
    catch error
        code = error_number(error)
        code === nothing || throw(StoreFailed(dirname(source.path), code))
        error isa Damaged || rethrow()
        throw(DamagedTable(source.name, source.path, error.reason))
    end
    length(made) == getfield(t, :rows) ||
        throw(DamagedTable(source.name, source.path, "its columns are not of one length"))
    # Another task may have been quicker: a table has only one column i.
    return guarded(() -> columns[i] === nothing ? (columns[i] = made) : columns[i])
end

function column(t::SharedTable, name::Symbol)
    i = get(getfield(t, :lookup), name, 0)::Int
    i == 0 && no_column(t, name)
    return column(t, i)
end

@noinline function no_column(t::SharedTable, name::Symbol)
    known = names(t)
    near = near_names(String(name), known)
    hint = isempty(near) ? "It has $(join(map(printable, known), ", "))." : "Did you mean $(join(map(repr, near), " or "))?"
    throw(ArgumentError("no column $(repr(String(name))) in $(repr(source_of(t).name)). $hint"))
end

Base.getproperty(t::SharedTable, name::Symbol) = column(t, name)
Base.propertynames(t::SharedTable) = Tuple(getfield(t, :names))
Base.propertynames(t::SharedTable, ::Bool) = propertynames(t)
Base.setproperty!(t::SharedTable, name::Symbol, value) =
    throw(ArgumentError("a shared table cannot be changed: `NamedTuple(t)` or `DataFrame(t)` can be"))
Base.getindex(t::SharedTable, i::Integer) = column(t, Int(i))
Base.getindex(t::SharedTable, name::Symbol) = column(t, name)
Base.getindex(t::SharedTable, name::AbstractString) = column(t, symbol(name))
Base.haskey(t::SharedTable, name::Symbol) = haskey(getfield(t, :lookup), name)
Base.haskey(t::SharedTable, name::AbstractString) = haskey(t, symbol(name))
symbol(name::AbstractString) = Symbol(without_nul(String(name)))
Base.haskey(t::SharedTable, i::Integer) = 1 <= i <= length(t)
"The columns' names as they were shared, even where a name occurs twice."
Base.names(t::SharedTable) = String[field.name for field in fields_of(t)]
Base.keys(t::SharedTable) = Tuple(getfield(t, :names))
Base.values(t::SharedTable) = Any[column(t, i) for i in 1:length(t)]
Base.pairs(t::SharedTable) = Pair{Symbol,Any}[name => column(t, i) for (i, name) in enumerate(getfield(t, :names))]
Base.length(t::SharedTable) = length(getfield(t, :columns))
Base.size(t::SharedTable) = (getfield(t, :rows), length(t))
Base.size(t::SharedTable, i::Integer) = i <= 2 ? size(t)[i] : 1
Base.ndims(::SharedTable) = 2
Base.isempty(t::SharedTable) = length(t) == 0
Base.firstindex(::SharedTable) = 1
Base.lastindex(t::SharedTable) = length(t)
Base.eltype(::Type{SharedTable}) = AbstractVector
Base.iterate(t::SharedTable, i = 1) = i > length(t) ? nothing : (column(t, i), i + 1)
Base.NamedTuple(t::SharedTable) = NamedTuple{keys(t)}(Tuple(values(t)))

"""
    metadata(t::SharedTable)
    metadata(t::SharedTable, column)

The metadata that was stored with the table, or with one of its columns, as pairs of texts: pandas' and R's notes, units,
the name of an extension type, ...

```jldoctest
julia> share("ids", (id = [Base.UUID(1)],));

julia> ArrowSHM.metadata(attach("ids"), :id)[1]
"ARROW:extension:name" => "arrow.uuid"
```
"""
metadata(t::SharedTable) = source_of(t).footer.metadata
metadata(t::SharedTable, i::Integer) = fields_of(t)[i].metadata
metadata(t::SharedTable, name) = fields_of(t)[getfield(t, :lookup)[Symbol(without_nul(string(name)))]].metadata
