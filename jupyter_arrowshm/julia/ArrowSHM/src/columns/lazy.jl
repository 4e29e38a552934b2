# Columns in shared memory: lazy, read-only vectors with a concrete element type. Each holds the mapping that it reads.
# Every index from the file is checked when it is used, so no file can make them read elsewhere.

"`length` values of type `S` from byte `at` (from 0) of `owner`, which it keeps alive."
struct Buffer{S} <: AbstractVector{S}
    owner::Vector{UInt8}
    start::Ptr{S}
    length::Int
end

function Buffer{S}(owner::Vector{UInt8}, at::Int, length::Int) where {S}
    0 <= at && 0 <= length && length * sizeof(S) <= Base.length(owner) - at || throw(BoundsError(owner, at))
    start = Ptr{S}(pointer(owner) + at)
    if UInt(start) % fieldoffset(Tuple{UInt8,S}, 2) != 0
        # Arrow asks for an alignment of 8 bytes and a loaded value may need more: such a column is copied, once.
        return Buffer{S}(owner[at+1:at+length*sizeof(S)], 0, length)
    end
    return Buffer{S}(owner, start, length)
end

Base.size(b::Buffer) = (b.length,)
Base.pointer(b::Buffer) = b.start
Base.IndexStyle(::Type{<:Buffer}) = IndexLinear()
@inline function Base.getindex(b::Buffer, i::Int)
    @boundscheck checkbounds(b, i)
    owner = b.owner
    return GC.@preserve owner unsafe_load(b.start, i)
end

"An `Array` of the same memory, valid only as long as the caller preserves the buffer."
unsafe_array(b::Buffer{S}) where {S} = unsafe_wrap(Array, b.start, b.length)

"The validity of the values. `absent` where this batch has no nulls but another one has."
struct Validity
    bits::Buffer{UInt8}
    absent::Bool
end

@inline bit(bits::Buffer{UInt8}, i::Int) = (@inbounds(bits[((i-1)>>3)+1]) >> ((i - 1) & 7)) & 0x01 != 0
@inline is_there(::Nothing, ::Int) = true
@inline is_there(validity::Validity, i::Int) = validity.absent || bit(validity.bits, i)
with_missing(::Type{N}, ::Nothing) where {N} = N
with_missing(::Type{N}, ::Validity) where {N} = Union{N,Missing}

@noinline out_of_range() = throw(DamagedColumn("an offset or a number in it points outside of it"))

"""
    Column{T}

A column of a shared table that is not a plain `Vector`: it has missing values, or Arrow stores it in another form than
Julia, or it has several parts. It is read-only; `collect` makes a copy to write into.
"""
abstract type Column{T} <: AbstractVector{T} end
Base.IndexStyle(::Type{<:Column}) = IndexLinear()

Base.setindex!(::Union{Column,Buffer}, value, indices...) = throw(ArgumentError("cannot write: $READ_ONLY"))

"""
The origin of a column, needed to share it again with the same type: its Arrow field, and the values of the file's
dictionaries by their number. Every `Column` has one.
"""
struct Origin
    field::Any
    pools::IdDict{Any,Any}
end

origin_of(c::Column) = c.origin
origin_of(view::SubArray) = origin_of(parent(view))
origin_of(::AbstractArray) = nothing  # Julia's own: the type of the values says it all

"Values of fixed size: `S` in memory, `N` for people."
struct Numbers{T,N,S,V} <: Column{T}
    values::Buffer{S}
    validity::V
    origin::Origin
end
Numbers{N}(values::Buffer{S}, validity::V, origin) where {N,S,V} =
    Numbers{with_missing(N, validity),N,S,V}(values, validity, origin)
Base.size(c::Numbers) = size(c.values)
@inline function Base.getindex(c::Numbers{T,N}, i::Int) where {T,N}
    @boundscheck checkbounds(c, i)
    return is_there(c.validity, i) ? decode(N, @inbounds c.values[i]) : missing
end

"Booleans, one bit each."
struct Bools{T,V} <: Column{T}
    bits::Buffer{UInt8}
    validity::V
    length::Int
    origin::Origin
end
Bools(bits, validity::V, length, origin) where {V} =
    Bools{with_missing(Bool, validity),V}(bits, validity, length, origin)
Base.size(c::Bools) = (c.length,)
@inline function Base.getindex(c::Bools, i::Int)
    @boundscheck checkbounds(c, i)
    return is_there(c.validity, i) ? bit(c.bits, i) : missing
end

"Text (`String`) or binary (`Base.CodeUnits{UInt8,String}`): values of any length, copied out one by one."
struct Texts{T,N,O,V} <: Column{T}
    offsets::Buffer{O}
    data::Buffer{UInt8}
    validity::V
    length::Int
    origin::Origin
end
Texts{N}(offsets::Buffer{O}, data, validity::V, length, origin) where {N,O,V} =
    Texts{with_missing(N, validity),N,O,V}(offsets, data, validity, length, origin)
Base.size(c::Texts) = (c.length,)
@inline function Base.getindex(c::Texts{T,N}, i::Int) where {T,N}
    @boundscheck checkbounds(c, i)
    is_there(c.validity, i) || return missing
    return copied(N, place(c, i)...)
end

"The buffer that holds value `i`, where the value begins in it (from 0), and how many bytes it has."
@inline function place(c::Texts, i::Int)
    from, to = extent(c.offsets, i, length(c.data))
    return c.data, from, to - from
end

"Where value `i` begins and ends among `limit` elements, from 0."
@inline function extent(offsets::Buffer, i::Int, limit::Int)
    from, to = Int(@inbounds offsets[i]), Int(@inbounds offsets[i+1])
    0 <= from <= to <= limit || out_of_range()
    return from, to
end

const Bytes = Base.CodeUnits{UInt8,String}
@inline function copied(::Type{String}, data::Buffer{UInt8}, from::Int, nbytes::Int)
    owner = data.owner
    return GC.@preserve owner unsafe_string(data.start + from, nbytes)
end
@inline copied(::Type{Bytes}, data::Buffer{UInt8}, from::Int, nbytes::Int) =
    codeunits(copied(String, data, from, nbytes))

"Text or binary of the view layout: up to 12 bytes in the view itself, longer ones in one of several buffers."
struct Views{T,N,V} <: Column{T}
    views::Buffer{NTuple{4,Int32}}
    raw::Buffer{UInt8}
    data::Vector{Buffer{UInt8}}
    validity::V
    origin::Origin
end
Views{N}(views, raw, data, validity::V, origin) where {N,V} =
    Views{with_missing(N, validity),N,V}(views, raw, data, validity, origin)
Base.size(c::Views) = size(c.views)
@inline function Base.getindex(c::Views{T,N}, i::Int) where {T,N}
    @boundscheck checkbounds(c, i)
    is_there(c.validity, i) || return missing
    return copied(N, place(c, i)...)
end
@inline function place(c::Views, i::Int)
    nbytes, _, buffer, from = map(Int, @inbounds c.views[i])
    0 <= nbytes || out_of_range()
    nbytes <= 12 && return c.raw, 16 * (i - 1) + 4, nbytes
    0 <= buffer < length(c.data) || out_of_range()
    data = @inbounds c.data[buffer+1]
    0 <= from <= length(data) - nbytes || out_of_range()
    return data, from, nbytes
end

"Fixed-size binary that is too wide (or too narrow: 0) for a tuple."
struct Blobs{T,V} <: Column{T}
    data::Buffer{UInt8}
    width::Int
    validity::V
    length::Int
    origin::Origin
end
Blobs(data, width, validity::V, length, origin) where {V} =
    Blobs{with_missing(Bytes, validity),V}(data, width, validity, length, origin)
Base.size(c::Blobs) = (c.length,)
@inline function Base.getindex(c::Blobs, i::Int)
    @boundscheck checkbounds(c, i)
    return is_there(c.validity, i) ? copied(Bytes, c.data, c.width * (i - 1), c.width) : missing
end

"Values that are numbers of entries of a dictionary, the `pool`."
struct Pooled{T,I,V,C} <: Column{T}
    indices::Buffer{I}
    pool::C
    validity::V
    origin::Origin
end
Pooled(indices::Buffer{I}, pool::C, validity::V, origin) where {I,C,V} =
    Pooled{with_missing(eltype(C), validity),I,V,C}(indices, pool, validity, origin)
Base.size(c::Pooled) = size(c.indices)
@inline function Base.getindex(c::Pooled, i::Int)
    @boundscheck checkbounds(c, i)
    is_there(c.validity, i) || return missing
    index = (@inbounds c.indices[i]) % Int  # a number that does not fit is negative now, and refused
    0 <= index < length(c.pool) || out_of_range()
    return @inbounds c.pool[index+1]
end

"A column of the null type."
struct Missings <: Column{Missing}
    length::Int
    origin::Origin
end
Base.size(c::Missings) = (c.length,)
@inline function Base.getindex(c::Missings, i::Int)
    @boundscheck checkbounds(c, i)
    return missing
end

"A column that lies in several batches, all of the same type."
struct Chunked{T,C<:AbstractVector{T}} <: Column{T}
    chunks::Vector{C}   # one or more
    ends::Vector{Int}   # the row before each, and the last one
    last::Base.RefValue{Int}
end
Chunked(chunks::Vector{C}) where {T,C<:AbstractVector{T}} =
    Chunked{T,C}(chunks, cumsum(Int[0; map(length, chunks)]), Ref(1))
origin_of(c::Chunked) = (known = origin_of(c.chunks); known === nothing ? origin_of(c.chunks[1]) : known)
Base.size(c::Chunked) = (c.ends[end],)
@inline function Base.getindex(c::Chunked, i::Int)
    @boundscheck checkbounds(c, i)
    # The chunk that was last asked for is a guess, and harmless when another task moves it: rows are mostly read in order.
    k = c.last[]
    if !(@inbounds(c.ends[k]) < i <= @inbounds(c.ends[k+1]))
        k = c.last[] = searchsortedfirst(c.ends, i) - 1
    end
    return @inbounds c.chunks[k][i-c.ends[k]]
end

# The parts of these types mean nothing to people.
Base.showarg(io::IO, ::Column{T}, toplevel) where {T} = print(io, "Column{", T, "}")
Base.showarg(io::IO, ::Buffer{S}, toplevel) where {S} = print(io, "Column{", S, "}")
# A list's type names that of its elements three times: with ten levels, the text would have 24 MB.
Base.show(io::IO, ::Type{SubArray{T,1,C,I,L}}) where {T,C<:Union{Column,Buffer},I,L} = print(io, "Column{", T, "}")
