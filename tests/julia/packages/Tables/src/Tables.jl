"""
A stand-in for Tables.jl, which cannot be had without a package registry: the part of its interface that we use, with the
same signatures as in release 1.12, so that a method of ours that is ambiguous there or missing is so here.
"""
module Tables

istable(x::T) where {T} = istable(T)
istable(::Type{T}) where {T} = isrowtable(T)
isrowtable(::T) where {T} = isrowtable(T)
isrowtable(::Type{T}) where {T} = T <: AbstractVector && eltype(T) <: NamedTuple
rowaccess(x::T) where {T} = rowaccess(T)
rowaccess(::Type{T}) where {T} = isrowtable(T)
columnaccess(x::T) where {T} = columnaccess(T)
columnaccess(::Type{T}) where {T} = false
columnaccess(::Type{<:NamedTuple{names,T}}) where {names,T<:Tuple{Vararg{AbstractVector}}} = true
istable(::Type{<:NamedTuple{names,T}}) where {names,T<:Tuple{Vararg{AbstractVector}}} = true

columnnames(x) = propertynames(x)
getcolumn(x, i::Int) = getfield(x, i)
getcolumn(x, nm::Symbol) = getproperty(x, nm)
getcolumn(x, ::Type{T}, i::Int, nm::Symbol) where {T} = getcolumn(x, nm)

struct Schema{names,types}
    storednames::Union{Nothing,Vector{Symbol}}
    storedtypes::Union{Nothing,Vector{Type}}
end
Schema{names,types}() where {names,types} = Schema{names,types}(nothing, nothing)
Schema(names::Tuple{Vararg{Symbol}}, ::Type{T}) where {T<:Tuple} = Schema{names,T}()
Schema(names, types) = Schema{Tuple(map(Symbol, names)),Tuple{types...}}()
function Base.getproperty(sch::Schema{names,types}, field::Symbol) where {names,types}
    field === :names && return names
    field === :types && return Tuple(fieldtype(types, i) for i in 1:fieldcount(types))
    throw(ArgumentError("unsupported property for Tables.Schema"))
end
Base.:(==)(a::Schema, b::Schema) = a.names == b.names && a.types == b.types
schema(x) = nothing

"The columns of a table: itself where it says that it has them, else a `CopiedColumns` of its rows."
function columns(x::T) where {T}
    columnaccess(T) && return x
    Base.isiterable(T) || isempty(propertynames(x)) || return x
    throw(ArgumentError("no default `Tables.columns` implementation for type: $T"))
end

"A row of a table of columns, as `Tables.rows` makes it."
struct ColumnsRow{T}
    columns::T
    row::Int
end
columnnames(r::ColumnsRow) = columnnames(getfield(r, :columns))
getcolumn(r::ColumnsRow, nm::Symbol) = getcolumn(getfield(r, :columns), nm)[getfield(r, :row)]
getcolumn(r::ColumnsRow, i::Int) = getcolumn(getfield(r, :columns), i)[getfield(r, :row)]
Base.getproperty(r::ColumnsRow, nm::Symbol) = getcolumn(r, nm)
Base.propertynames(r::ColumnsRow) = columnnames(r)

rowcount(cols) = (names = columnnames(cols); isempty(names) ? 0 : length(getcolumn(cols, first(names))))
rows(x) = (cols = columns(x); (ColumnsRow(cols, i) for i in 1:rowcount(cols)))
function columntable(x)
    cols = columns(x)
    names = Tuple(columnnames(cols))
    return NamedTuple{names}(Tuple(getcolumn(cols, name) for name in names))
end
rowtable(x) = [NamedTuple{Tuple(columnnames(r))}(Tuple(getcolumn(r, n) for n in columnnames(r))) for r in rows(x)]

end
