# Questions that the bytes of a text can answer in place. Most of the cost of reading texts is a `String` for each value.

const TextColumn = Union{Texts{T,String},Views{T,String}} where {T}
const Comparison{F} = Base.Fix2{F,<:Union{String,SubString{String}}}
const Glance = Union{
    typeof(length),typeof(sizeof),typeof(ncodeunits),typeof(isempty),Comparison{typeof(==)},Comparison{typeof(isequal)},
}

"`f` of each text of a column, without making the texts."
struct Glanced{R,F,C<:TextColumn} <: AbstractVector{R}
    f::F
    texts::C
end
glanced(f::F, c::C) where {F,C<:TextColumn} = Glanced{result(F, eltype(C) >: Missing),F,C}(f, c)
glanced(f, c::Chunked) = Chunked(map(chunk -> glanced(f, chunk), c.chunks))
result(::Type{F}, nullable::Bool) where {F} = nullable && of_missing(F) === missing ? Union{Missing,result(F)} : result(F)
result(::Type{<:Function}) = Int
result(::Type{<:Union{typeof(isempty),Comparison}}) = Bool
of_missing(::Type) = missing
of_missing(::Type{typeof(sizeof)}) = 0
of_missing(::Type{<:Comparison{typeof(isequal)}}) = false

Base.size(g::Glanced) = size(g.texts)
Base.IndexStyle(::Type{<:Glanced}) = IndexLinear()
@inline function Base.getindex(g::Glanced{R,F}, i::Int) where {R,F}
    @boundscheck checkbounds(g, i)
    c = g.texts
    is_there(c.validity, i) || return of_missing(F)
    data, from, nbytes = place(c, i)
    owner = data.owner
    return GC.@preserve owner glance(g.f, data.start + from, nbytes)
end
@inline Base.iterate(g::Glanced, i::Int = 1) = i > length(g) ? nothing : step(@inbounds(g[i]), i + 1)

@inline glance(::Union{typeof(sizeof),typeof(ncodeunits)}, ::Ptr{UInt8}, nbytes::Int) = nbytes
@inline glance(::typeof(isempty), ::Ptr{UInt8}, nbytes::Int) = nbytes == 0
@inline glance(::typeof(length), at::Ptr{UInt8}, nbytes::Int) =
    is_ascii(at, nbytes) ? nbytes : length(unsafe_string(at, nbytes))
@inline function glance(f::Comparison, at::Ptr{UInt8}, nbytes::Int)
    text = f.x
    sizeof(text) == nbytes || return false
    return GC.@preserve text ccall(:memcmp, Cint, (Ptr{UInt8}, Ptr{UInt8}, Csize_t), at, pointer(text), nbytes) == 0
end

@inline function is_ascii(at::Ptr{UInt8}, nbytes::Int)
    i, bits = 0, UInt64(0)
    while i + 8 <= nbytes
        bits |= unsafe_load(Ptr{UInt64}(at + i))
        i += 8
    end
    while i < nbytes
        bits |= unsafe_load(at + i)
        i += 1
    end
    return bits & 0x8080808080808080 == 0
end

const AnyTexts = Union{TextColumn,Chunked{<:Any,<:TextColumn}}
Base.mapreduce(f::Glance, op, c::TextColumn; kw...) = mapreduce(identity, op, glanced(f, c); kw...)
Base.mapreduce(f::Glance, op, c::Chunked{<:Any,<:TextColumn}; kw...) = mapreduce(identity, op, glanced(f, c); kw...)
Base.mapreduce(f::Glance, op, c::SkipMissing{<:TextColumn}; kw...) =
    mapreduce(identity, op, skipmissing(glanced(f, c.x)); kw...)
Base.mapreduce(f::Glance, op, c::SkipMissing{<:Chunked{<:Any,<:TextColumn}}; kw...) =
    mapreduce(identity, op, skipmissing(glanced(f, c.x)); kw...)
Base.map(f::Glance, c::AnyTexts) = collect(glanced(f, c))
Base.count(f::Glance, c::AnyTexts) = count(identity, glanced(f, c))
Base.findall(f::Glance, c::AnyTexts) = findall(identity, glanced(f, c))
Base.Broadcast.broadcasted(f::Glance, c::AnyTexts) = Base.Broadcast.broadcasted(identity, glanced(f, c))
Base.Broadcast.broadcasted(f::Union{typeof(==),typeof(isequal)}, c::AnyTexts, x::Union{String,SubString{String}}) =
    Base.Broadcast.broadcasted(identity, glanced(Base.Fix2(f, x), c))
