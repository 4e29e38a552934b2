# From vectors to the buffers of Arrow's layout: the loops over rows.

"The validity bits, from `there(row)` for each row, and how many values are missing; no bits if none is."
function validity_of(there, rows)
    bits, missings = zeros(UInt8, cld(length(rows), 8)), 0
    i = 0
    for row in rows
        there(row) ? (@inbounds bits[(i>>3)+1] |= 0x01 << (i & 7)) : (missings += 1)
        i += 1
    end
    return missings == 0 ? nothing : bits, missings
end
validity_of(column::AbstractVector{T}) where {T} =
    Missing <: T ? validity_of(x -> x !== missing, column) : (nothing, 0)

"Each value as `encode` returns it, with zeros for missing ones; the column itself if it is such an array already."
flat(::Type{S}, column::Union{Vector{S},Buffer{S}}) where {S} = column
function flat(::Type{S}, column::AbstractVector) where {S}
    values = Vector{S}(undef, length(column))
    i = 0
    for x in column
        @inbounds values[i+=1] = x === missing ? zeros_of(S) : encode(S, x)
    end
    return values
end
"The values as they are in memory, where there are any: nothing has to be read as a date to become the same bytes again."
stored(c::Numbers) = c.values
stored(c::Chunked{T,<:Numbers}) where {T} = Chunked(map(stored, c.chunks))
stored(c::SubArray) = (below = stored(parent(c)); below === parent(c) ? c : view(below, parentindices(c)[1]))
stored(c::AbstractVector) = c
zeros_of(::Type{S}) where {S} = reinterpret(S, zeros(UInt8, sizeof(S)))[1]
zeros_of(::Type{S}) where {S<:Union{Integer,AbstractFloat}} = S(0)

"The bits of booleans."
function flat_bits(column::AbstractVector)
    bits, i = zeros(UInt8, cld(length(column), 8)), 0
    for x in column
        x === true && (@inbounds bits[(i>>3)+1] |= 0x01 << (i & 7))
        i += 1
    end
    return bits
end

function total_size(column::AbstractVector)
    total = 0
    for x in column
        x === missing || (total += text_size(x))
    end
    return total
end

"`(offsets, bytes)` of texts or binaries."
function flat_texts(::Type{O}, column::AbstractVector, total::Int) where {O}
    offsets, bytes = Vector{O}(undef, length(column) + 1), Vector{UInt8}(undef, total)
    at, i = 0, 1
    offsets[1] = 0
    for x in column
        x === missing || (at = put_text!(bytes, at, x))
        @inbounds offsets[i+=1] = at
    end
    return offsets, bytes
end

function put_text!(bytes::Vector{UInt8}, at::Int, x)
    units = text_bytes(x)
    length(units) <= length(bytes) - at || error("the column was changed while it was shared")
    copy_units!(bytes, at, units, length(units))
    return at + length(units)
end

const VIEW_BUFFER = typemax(Int32)  # bytes that a view can point to

"Views of texts or binaries, and the buffers of those longer than 12 bytes."
function flat_views(column::AbstractVector)
    views, buffers = zeros(UInt8, 16 * length(column)), Vector{UInt8}[]
    header = zeros(Int32, 4)
    at = 0
    for x in column
        if x !== missing
            units = text_bytes(x)
            header[1] = length(units)
            GC.@preserve views header unsafe_copyto!(pointer(views) + at, Ptr{UInt8}(pointer(header)), 4)
            copy_units!(views, at + 4, units, min(length(units), length(units) > 12 ? 4 : 12))
            if length(units) > 12
                full = isempty(buffers) || length(buffers[end]) > VIEW_BUFFER - length(units)
                full && push!(buffers, UInt8[])
                header[3], header[4] = length(buffers) - 1, length(buffers[end])
                GC.@preserve views header unsafe_copyto!(pointer(views) + at + 8, Ptr{UInt8}(pointer(header, 3)), 8)
                resize!(buffers[end], header[4] + length(units))
                copy_units!(buffers[end], Int(header[4]), units, length(units))
            end
        end
        at += 16
    end
    return views, buffers
end

"Binaries of `width` bytes, one after the other."
function flat_blobs(column::AbstractVector, width::Int)
    bytes, at = zeros(UInt8, width * length(column)), 0
    for x in column
        x === missing || copy_units!(bytes, at, text_bytes(x), width)
        at += width
    end
    return bytes
end

text_size(x::Union{String,SubString{String}}) = sizeof(x)
text_size(x::Symbol) = sizeof(x)
text_size(x) = length(text_bytes(x))
text_bytes(x::Union{String,SubString{String}}) = codeunits(x)
text_bytes(x::Union{Symbol,Char,AbstractString}) = codeunits(String(string(x)))
text_bytes(x::AbstractVector{UInt8}) = x

copy_units!(to, at, units, nbytes) = copyto!(to, at + 1, units, 1, nbytes)
function copy_units!(to, at, units::Base.CodeUnits{UInt8,<:Union{String,SubString{String}}}, nbytes)
    GC.@preserve to units unsafe_copyto!(pointer(to) + at, pointer(units), nbytes)
end

"`(offsets, elements)` of lists, elements as one vector."
function flat_lists(column::AbstractVector, ::Type{E}) where {E}
    total = 0
    for x in column
        x === missing || (total += length(x))
    end
    offsets, elements = Vector{Int}(undef, length(column) + 1), Vector{E}(undef, total)
    at, i = 0, 1
    offsets[1] = 0
    for x in column
        if x !== missing
            for element in x
                elements[at+=1] = element
            end
        end
        @inbounds offsets[i+=1] = at
    end
    return offsets, elements
end

"Elements of tuples of `width`, one after the other; where a tuple is missing, `width` times the first element of all."
function flat_tuples(column::AbstractVector, ::Type{E}, width::Int) where {E}
    known = findfirst(!ismissing, column)
    filler = known === nothing || width == 0 ? missing : column[known][1]
    return Union{E,typeof(filler)}[x === missing ? filler : x[k] for x in column for k in 1:width]
end

"Field `k` of named tuples or pairs; missing where the tuple is."
flat_field(column::AbstractVector, k::Int, ::Type{F}, nullable::Bool) where {F} =
    nullable ? Union{F,Missing}[x === missing ? missing : getfield(x, k) for x in column] : F[getfield(x, k) for x in column]

"The values of a union that are of type `N`, and places for those of other types: `tags` from 0."
function flat_union(column::AbstractVector, types::Vector)
    tags, places = Vector{Int8}(undef, length(column)), Vector{Int32}(undef, length(column))
    children = Any[Vector{Union{Missing,type}}() for type in types]
    for (i, x) in enumerate(column)
        k = x === missing ? 1 : findfirst(type -> x isa type, types)
        tags[i], places[i] = k - 1, length(children[k])
        push!(children[k], x)
    end
    return tags, places, children
end

# -- columns that are shared again: by their structure, so that no part of their type is lost -----------------------------

"The columns of a file that hold the values, and which rows of each, in order."
rows_of(c::AbstractVector) = Any[(c, 1:length(c))]
rows_of(c::Chunked) = Any[part for chunk in c.chunks for part in rows_of(chunk)]
rows_of(c::SubArray) = rows_in(parent(c), parentindices(c)[1])
rows_in(c::AbstractVector, rows) = Any[(c, rows)]
function rows_in(c::Chunked, rows)
    found = Any[]
    for row in rows
        k = searchsortedfirst(c.ends, row) - 1
        chunk = c.chunks[k]
        (isempty(found) || found[end][1] !== chunk) && push!(found, (chunk, Int[]))
        push!(found[end][2], row - c.ends[k])
    end
    isempty(found) && push!(found, (c.chunks[1], Int[]))
    return Any[part for (chunk, rows) in found for part in rows_in_part(chunk, rows)]
end
rows_in_part(c, rows) = c isa SubArray ? rows_in(parent(c), parentindices(c)[1][rows]) : Any[(c, rows)]

"Some rows of some columns of one type, one after the other, without a copy."
function gathered(parts::Vector{Any})
    if length(parts) == 1
        part, rows = parts[1]
        return rows == 1:length(part) ? part : view(part, rows)
    end
    views = Any[view(part, collect(Int, rows)) for (part, rows) in parts]
    return Chunked(copyto!(Vector{typeof(views[1])}(undef, length(views)), views))
end

"`(validity, how many are missing)` of what [`rows_of`](@ref) gave, by the columns' own bits."
function validity_of(selection::Vector{Any})
    length(selection) == 1 && return validity_in(selection[1]...)
    there = BitVector()
    foreach(((column, rows),) -> append_there!(there, bits_of(column), rows), selection)
    return validity_of(identity, there)
end
function validity_in(column, rows)
    bits = bits_of(column)
    return bits === nothing ? (nothing, 0) : validity_of(row -> is_there(bits, row), rows)
end
bits_of(c::Column) = c.validity
bits_of(::AbstractVector) = nothing
append_there!(there::BitVector, validity, rows) = append!(there, Bool[is_there(validity, row) for row in rows])

"Offsets (from 0) and elements of lists."
function lists_of(selection::Vector{Any})
    offsets, parts = Int[0], Any[]
    for (column, rows) in selection
        places = list_places!(offsets, column, rows)
        push!(parts, (column.values, places))
    end
    return offsets, gathered(parts)
end
function list_places!(offsets::Vector{Int}, column, rows)
    places = Int[]
    for row in rows
        from, to = is_there(column.validity, row) ? extent(column, row) : (0, 0)
        append!(places, from+1:to)
        push!(offsets, offsets[end] + to - from)
    end
    return places
end

"Elements of lists that all have `width`."
elements_of(selection::Vector{Any}) = gathered(Any[
    (column.values, Int[column.width * (row - 1) + k for row in rows for k in 1:column.width])
    for (column, rows) in selection
])

fields_of(selection::Vector{Any}, k::Int) = gathered(Any[(column.parts[k], rows) for (column, rows) in selection])

"`(tags, places, children)` of a union; with `dense` false the children have a row for each."
function union_of(selection::Vector{Any}, count::Int, dense::Bool)
    tags, places, counts = Int8[], Int32[], zeros(Int, count)
    parts = Any[Any[] for _ in 1:count]
    for (column, rows) in selection
        found = [Int[] for _ in 1:count]
        for row in rows
            k, place = part_of(column, row)
            push!(tags, column.tags[row])
            push!(places, counts[k])
            counts[k] += 1
            push!(found[k], place)
        end
        foreach(k -> push!(parts[k], (column.parts[k], dense ? found[k] : rows)), 1:count)
    end
    return tags, places, Any[gathered(part) for part in parts]
end

"`(run ends, values)` of runs, whole or in part."
function runs_of(selection::Vector{Any})
    ends, parts, at = Int[], Any[], 0
    for (column, rows) in selection
        found = Int[]
        for row in rows
            k = searchsortedfirst(column.ends, row)
            at += 1
            isempty(found) || found[end] != k ? (push!(found, k); push!(ends, at)) : (ends[end] = at)
        end
        push!(parts, (column.values, found))
    end
    return ends, gathered(parts)
end

"The places of the values in the dictionary, and the dictionary."
pooled_of(selection::Vector{Any}) =
    gathered(Any[(column.indices, rows) for (column, rows) in selection]), selection[1][1].pool
