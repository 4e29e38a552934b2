# Loops over columns at the speed of Julia's own arrays: part by part, and where a part is plain memory, as an `Array`.

"Call `f(part)` for each part of the column, in order."
@inline each_part(f, c::Chunked) = foreach(f, c.chunks)
@inline each_part(f, c) = f(c)

function Base.iterate(c::Chunked)
    isempty(c.chunks) && return nothing
    return iterate(c, (1, 1))
end
@inline function Base.iterate(c::Chunked, (k, i)::Tuple{Int,Int})
    while k <= length(c.chunks)
        chunk = @inbounds c.chunks[k]
        i <= length(chunk) && return (@inbounds(chunk[i]), (k, i + 1))
        k, i = k + 1, 1
    end
    return nothing
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

struct NotYet end

function Base.mapreduce(f, op, c::Chunked; dims = :, kw...)
    dims isa Colon || return mapreduce(f, op, collect(c); dims = dims, kw...)
    result = isempty(kw) ? NotYet() : values(kw).init
    for chunk in c.chunks
        isempty(chunk) && continue
        part = reduce_part(f, op, chunk)
        result = result isa NotYet ? part : op(result, part)
    end
    return result isa NotYet ? mapreduce(f, op, eltype(c)[]) : result
end

reduce_part(f, op, chunk) = mapreduce(f, op, chunk)
reduce_part(f, op, chunk::Buffer) = GC.@preserve chunk mapreduce(f, op, unsafe_array(chunk))
