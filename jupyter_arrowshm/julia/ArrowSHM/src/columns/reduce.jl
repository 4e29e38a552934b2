# Loops over columns at the speed of Julia's own arrays: part by part, and where a part is plain memory, as an `Array`.

# Missing values have a tuple of their own: a tuple with a field of two types is an object on the heap, for each row.
@inline step(x, state) = x === missing ? (missing, state) : (x, state)

@inline Base.iterate(c::Column, i::Int = 1) = i > length(c) ? nothing : step(@inbounds(c[i]), i + 1)

"Eight booleans from row `i` (from 0, a multiple of 8) in two bytes: their values, and their validity."
@inline eight(c::Bools, i::Int) =
    @inbounds(c.bits[(i>>3)+1]), c.validity.absent ? 0xff : @inbounds(c.validity.bits[(i>>3)+1])
@inline lowest(bits::UInt8, there::UInt8) = there & 0x01 != 0x00 ? bits & 0x01 != 0x00 : missing

# The rest of the two bytes is passed from row to row: reading memory again for each bit is twice as slow.
@inline function Base.iterate(
    c::Bools{Union{Missing,Bool}}, (i, bits, there)::Tuple{Int,UInt8,UInt8} = (0, 0x00, 0x00),
)
    i < length(c) || return nothing
    i & 7 == 0 && ((bits, there) = eight(c, i))
    return step(lowest(bits, there), (i + 1, bits >> 1, there >> 1))
end

@inline function Base.iterate(
    c::Chunked{Union{Missing,Bool},<:Bools}, (k, i, rows, bits, there)::Tuple{Int,Int,Int,UInt8,UInt8} = (0, 0, 0, 0x00, 0x00),
)
    while i == rows
        k < length(c.chunks) || return nothing
        k, i, rows = k + 1, 0, length(@inbounds(c.chunks[k+1]))
    end
    i & 7 == 0 && ((bits, there) = eight(@inbounds(c.chunks[k]), i))
    return step(lowest(bits, there), (k, i + 1, rows, bits >> 1, there >> 1))
end

@inline function Base.iterate(c::Runs, (k, i)::Tuple{Int,Int} = (1, 1))
    i > length(c) && return nothing
    @inbounds while i > c.ends[k]
        k += 1
    end
    return step(@inbounds(c.values[k]), (k, i + 1))
end

# The step comes after the loop: inside it, Julia 1.5 compiles it wrongly ("in new, expected Missing").
@inline function Base.iterate(c::Chunked, (k, i)::Tuple{Int,Int} = (1, 1))
    while i > length(@inbounds(c.chunks[k]))
        k < length(c.chunks) || return nothing
        k, i = k + 1, 1
    end
    return step(@inbounds(c.chunks[k][i]), (k, i + 1))
end

function Base.copyto!(to::Array, c::Chunked)
    length(to) >= length(c) || throw(BoundsError(to, length(c)))
    at = 1
    for chunk in c.chunks
        copyto!(to, at, chunk, 1, length(chunk))
        at += length(chunk)
    end
    return to
end

# By chunks, not by rows: 64 bits of a `BitVector` are one word.
Base.broadcastable(c::Chunked{Bool,BitVector}) = reduce(vcat, c.chunks)

"How many of the booleans that are not missing are true."
function Base.mapreduce(::typeof(identity), ::typeof(add_sum), s::SkipMissing{<:Bools{Union{Missing,Bool}}})
    c, whole = s.x, length(s.x) >> 3
    total = 0
    @inbounds for k in 1:whole
        total += count_ones(c.validity.absent ? c.bits[k] : c.bits[k] & c.validity.bits[k])
    end
    for i in 8*whole+1:length(c)
        total += is_there(c.validity, i) && bit(c.bits, i)
    end
    return total
end
Base.count(s::SkipMissing{<:Bools{Union{Missing,Bool}}}) = sum(s)

struct NotYet end

function Base.mapreduce(f, op, c::Chunked; dims = :, kw...)
    dims isa Colon || return mapreduce(f, op, collect(c); dims = dims, kw...)
    return reduce_parts(f, op, c.chunks, eltype(c), kw)
end
Base.mapreduce(f, op, c::SkipMissing{<:Chunked{T}}; kw...) where {T} =
    reduce_parts(f, op, Missing <: T ? map(skipmissing, c.x.chunks) : c.x.chunks, eltype(c), kw)

function reduce_parts(f, op, parts, T, kw)
    result = isempty(kw) ? NotYet() : values(kw).init
    for part in parts
        iterate(part) === nothing && continue
        found = reduce_part(f, op, part)
        result = result isa NotYet ? found : op(result, found)
    end
    return result isa NotYet ? mapreduce(f, op, T[]) : result
end

reduce_part(f, op, chunk) = mapreduce(f, op, chunk)
reduce_part(::typeof(identity), ::typeof(add_sum), chunk::BitVector) = count(chunk)
reduce_part(f, op, chunk::Buffer) = GC.@preserve chunk mapreduce(f, op, unsafe_array(chunk))
