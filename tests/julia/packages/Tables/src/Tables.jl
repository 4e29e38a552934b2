"""
A stand-in for Tables.jl, which cannot be had without a package registry: the part of its interface that tables and sinks
use, with the same signatures and the same fallbacks as in release 1.12, so that a method of ours that is ambiguous there or
missing is so here. `test_packages.py` runs the same tests on it and on the real packages.
"""
module Tables

using DataValueInterfaces, DataAPI, TableTraits, IteratorInterfaceExtensions

# -- what a table is ---------------------------------------------------------------------------------------------------

istable(x::T) where {T} = istable(T) || TableTraits.isiterabletable(x) === true
istable(::Type{T}) where {T} = isrowtable(T)
isrowtable(::T) where {T} = isrowtable(T)
isrowtable(::Type{T}) where {T} = T <: AbstractVector && eltype(T) <: NamedTuple
rowaccess(x::T) where {T} = rowaccess(T)
rowaccess(::Type{T}) where {T} = isrowtable(T)
columnaccess(x::T) where {T} = columnaccess(T)
columnaccess(::Type{T}) where {T} = false

const ColumnTable = NamedTuple{names,T} where {names,T<:Tuple{Vararg{AbstractVector}}}
istable(::Type{<:ColumnTable}) = true
columnaccess(::Type{<:ColumnTable}) = true
columns(x::ColumnTable) = x

columnnames(x) = propertynames(x)
getcolumn(x, i::Int) = getfield(x, i)
getcolumn(x, nm::Symbol) = getproperty(x, nm)
getcolumn(x, ::Type{T}, i::Int, nm::Symbol) where {T} = getcolumn(x, nm)

# -- schemas -----------------------------------------------------------------------------------------------------------

struct Schema{names,types}
    storednames::Union{Nothing,Vector{Symbol}}
    storedtypes::Union{Nothing,Vector{Type}}
end
Schema{names,types}() where {names,types} = Schema{names,types}(nothing, nothing)
Schema(names::Tuple{Vararg{Symbol}}, ::Type{T}) where {T<:Tuple} = Schema{names,T}()
Schema(names, ::Nothing) = Schema{Tuple(map(Symbol, names)),nothing}()
Schema(names, types) = Schema{Tuple(map(Symbol, names)),Tuple{types...}}()
function Base.getproperty(sch::Schema{names,types}, field::Symbol) where {names,types}
    field === :names && return names
    field === :types && return types === nothing ? nothing : Tuple(fieldtype(types, i) for i in 1:fieldcount(types))
    throw(ArgumentError("unsupported property for Tables.Schema"))
end
Base.:(==)(a::Schema, b::Schema) = a.names == b.names && a.types == b.types
schema(x) = nothing
schema(::NamedTuple{names,T}) where {names,T<:Tuple{Vararg{AbstractVector}}} =
    Schema(names, Tuple{map(eltype, fieldtypes(T))...})
schema(::AbstractVector{NamedTuple{names,types}}) where {names,types} = Schema(names, types)

"Call `f(value, number, name)` for each column, by the types of the schema where it has them."
function eachcolumn(f, sch::Schema, row)
    for (i, name) in enumerate(sch.names)
        f(sch.types === nothing ? getcolumn(row, name) : getcolumn(row, sch.types[i], i, name), i, name)
    end
end

# -- rows of columns ---------------------------------------------------------------------------------------------------

abstract type AbstractRow end
Base.getproperty(r::AbstractRow, nm::Symbol) = getcolumn(r, nm)
Base.propertynames(r::AbstractRow) = columnnames(r)

struct ColumnsRow{T} <: AbstractRow
    columns::T
    row::Int
end
columnnames(r::ColumnsRow) = columnnames(getfield(r, :columns))
getcolumn(r::ColumnsRow, nm::Symbol) = getcolumn(getfield(r, :columns), nm)[getfield(r, :row)]
getcolumn(r::ColumnsRow, i::Int) = getcolumn(getfield(r, :columns), i)[getfield(r, :row)]
getcolumn(r::ColumnsRow, ::Type{T}, i::Int, nm::Symbol) where {T} =
    getcolumn(getfield(r, :columns), T, i, nm)[getfield(r, :row)]

struct RowIterator{T}
    columns::T
    len::Int
end
istable(::Type{<:RowIterator}) = true
isrowtable(::Type{<:RowIterator}) = true
columnaccess(::Type{<:RowIterator}) = true
columns(x::RowIterator) = x.columns
schema(x::RowIterator) = schema(x.columns)
Base.eltype(::Type{RowIterator{T}}) where {T} = ColumnsRow{T}
Base.length(x::RowIterator) = x.len
Base.iterate(x::RowIterator, i = 1) = i > x.len ? nothing : (ColumnsRow(x.columns, i), i + 1)

rowcount(cols) = (names = columnnames(cols); isempty(names) ? 0 : length(getcolumn(cols, names[1])))

function rows(x::T) where {T}
    isrowtable(x) && return x
    columnaccess(x) && (cols = columns(x); return RowIterator(cols, Int(rowcount(cols))))
    IteratorInterfaceExtensions.isiterable(x) && return nondatavaluerows(x)
    throw(ArgumentError("no default `Tables.rows` implementation for type: $T"))
end

# -- rows of iterators -------------------------------------------------------------------------------------------------

struct IteratorWrapper{S}
    x::S
end
struct IteratorRow{T} <: AbstractRow
    row::T
end
nondatavaluerows(x) = IteratorWrapper(IteratorInterfaceExtensions.getiterator(x))
istable(::Type{<:IteratorWrapper}) = true
rowaccess(::Type{<:IteratorWrapper}) = true
rows(x::IteratorWrapper) = x
Base.IteratorEltype(::Type{IteratorWrapper{S}}) where {S} = Base.IteratorEltype(S)
Base.IteratorSize(::Type{IteratorWrapper{S}}) where {S} = Base.IteratorSize(S)
Base.eltype(::Type{IteratorWrapper{S}}) where {S} = IteratorRow{eltype(S)}
Base.length(x::IteratorWrapper) = length(x.x)
Base.size(x::IteratorWrapper) = size(x.x)
function Base.iterate(x::IteratorWrapper, state...)
    found = iterate(x.x, state...)
    found === nothing && return nothing
    columnnames(found[1]) === () && throw(ArgumentError("what it iterates over does not satisfy `AbstractRow`"))
    return IteratorRow(found[1]), found[2]
end
undatavalue(x) = (T = DataValueInterfaces.nondatavaluetype(typeof(x)); T === typeof(x) ? x : convert(T, x))
columnnames(r::IteratorRow) = columnnames(getfield(r, :row))
getcolumn(r::IteratorRow, nm::Symbol) = undatavalue(getcolumn(getfield(r, :row), nm))
getcolumn(r::IteratorRow, i::Int) = undatavalue(getcolumn(getfield(r, :row), i))
getcolumn(r::IteratorRow, ::Type, i::Int, nm::Symbol) = getcolumn(r, nm)

"The rows as named tuples whose values are `DataValue`s where they may be missing: what Queryverse iterates over."
struct DataValueRowIterator{NT,S}
    x::S
end
function datavaluerows(x)
    r = rows(x)
    s = schema(r)
    s === nothing && error("Schemaless sources cannot be passed to datavaluerows.")
    NT = NamedTuple{s.names,Tuple{map(DataValueInterfaces.datavaluetype, s.types)...}}
    return DataValueRowIterator{NT,typeof(r)}(r)
end
Base.eltype(::Type{<:DataValueRowIterator{NT}}) where {NT} = NT
Base.length(x::DataValueRowIterator) = length(x.x)
function Base.iterate(x::DataValueRowIterator{NT}, state...) where {NT}
    found = iterate(x.x, state...)
    found === nothing && return nothing
    return NT(Tuple(getcolumn(found[1], name) for name in fieldnames(NT))), found[2]
end

# -- columns of rows ---------------------------------------------------------------------------------------------------

struct CopiedColumns{T}
    x::T
end
istable(::Type{<:CopiedColumns}) = true
columnaccess(::Type{<:CopiedColumns}) = true
columns(x::CopiedColumns) = x
columnnames(x::CopiedColumns) = columnnames(getfield(x, :x))
getcolumn(x::CopiedColumns, nm::Symbol) = getcolumn(getfield(x, :x), nm)
getcolumn(x::CopiedColumns, i::Int) = getcolumn(getfield(x, :x), i)

# Who says `columnaccess` has a method of its own.
function columns(x::T) where {T}
    if rowaccess(x) || IteratorInterfaceExtensions.isiterable(x)
        found = Any[row for row in (rowaccess(x) ? rows(x) : nondatavaluerows(x))]
        names = isempty(found) ? () : Tuple(columnnames(found[1]))
        return CopiedColumns(NamedTuple{names}(Tuple([getcolumn(row, name) for row in found] for name in names)))
    end
    throw(ArgumentError("no default `Tables.columns` implementation for type: $T"))
end

function columntable(x)
    cols = columns(x)
    names = Tuple(columnnames(cols))
    return NamedTuple{names}(Tuple(getcolumn(cols, name) for name in names))
end
namedtupleiterator(x) = (NamedTuple{Tuple(columnnames(r))}(Tuple(getcolumn(r, n) for n in columnnames(r))) for r in rows(x))
rowtable(x) = collect(namedtupleiterator(x))

end
