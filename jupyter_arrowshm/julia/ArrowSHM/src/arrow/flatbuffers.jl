# The FlatBuffers encoding ("FlatBuffers Internals"), as far as Arrow's metadata needs it. Everything that is read from a
# file is checked before it is used: garbage is a `Damaged`, never a read outside the bytes.

"Bytes that are not valid Arrow metadata; becomes a [`DamagedTable`](@ref)."
struct Damaged <: Exception
    reason::String
end
@noinline damaged(reason) = throw(Damaged(reason))

"""
The little-endian number of `nbytes` at byte `at` (from 0); signed if it has 4 or 8. One function for all sizes: each
specialisation would add 10 ms of compiling to the first attach.
"""
@noinline function load(data::Vector{UInt8}, at::Int, nbytes::Int)
    0 <= at <= length(data) - nbytes || damaged("a length or offset points outside of the file")
    value = UInt64(0)
    for i in nbytes:-1:1
        value = value << 8 | @inbounds data[at+i]
    end
    return nbytes == 4 ? Int(value % Int32) : value % Int
end

"A table of the encoding, at byte `at` of `data`. Offsets count from 0."
struct FlatTable
    data::Vector{UInt8}
    at::Int
    vtable::Int
    slots::Int
end

@noinline function FlatTable(data::Vector{UInt8}, at::Int)
    vtable = at - load(data, at, 4)
    nbytes = load(data, vtable, 2)
    nbytes >= 4 && vtable + nbytes <= length(data) || damaged("a table of its metadata is broken")
    return FlatTable(data, at, vtable, (nbytes - 4) >> 1)
end

"The table that the offset at byte `start` leads to."
@noinline root_table(data::Vector{UInt8}, start::Int) = FlatTable(data, start + load(data, start, 4))

"Where the field's value is; -1 if it is absent."
@noinline function place(table::FlatTable, slot::Int)
    slot < table.slots || return -1
    offset = load(table.data, table.vtable + 4 + 2 * slot, 2)
    return offset == 0 ? -1 : table.at + offset
end

@noinline function scalar(table::FlatTable, slot::Int, nbytes::Int, default::Int)
    at = place(table, slot)
    return at < 0 ? default : load(table.data, at, nbytes)
end

flag(table::FlatTable, slot::Int) = scalar(table, slot, 1, 0) != 0

@noinline function subtable(table::FlatTable, slot::Int)
    at = place(table, slot)
    return at < 0 ? nothing : root_table(table.data, at)
end

"Where the vector's elements of `size` bytes begin, and how many there are."
@noinline function elements(table::FlatTable, slot::Int, size::Int)
    at = place(table, slot)
    at < 0 && return (0, 0)
    start = at + load(table.data, at, 4)
    count = load(table.data, start, 4)
    0 <= count <= (length(table.data) - start - 4) ÷ size || damaged("a list of its metadata is longer than the file")
    return (start + 4, count)
end

"The text of a field, empty if it is absent. Bytes that are not UTF-8 stay as they are."
@noinline function text(table::FlatTable, slot::Int)
    start, count = elements(table, slot, 1)
    return String(table.data[start+1:start+count])
end

# -- writing -----------------------------------------------------------------------------------------------------------

"""
A table to be written: for each slot `nothing` (absent), a number, a `String`, a `Build`, a vector of builds or
of 32-bit numbers, or [`WordStructs`](@ref). Children are laid down behind their parent, so every offset is positive, as the encoding wants it.
"""
struct Build
    slots::Vector{Any}
    Build(slots...) = new(Any[slots...])
end

"A vector of structs of 64-bit words, `width` words each."
struct WordStructs
    words::Vector{Int64}
    width::Int
end

"The encoding of `root`, to be laid at a multiple of 8."
@noinline function encode(root::Build)
    out = zeros(UInt8, 4)
    set!(out, 0, UInt32(write_build!(out, root)))
    pad!(out, 8)
    return out
end

set!(out::Vector{UInt8}, at::Int, value::Integer) = set_bytes!(out, at, value % Int64, sizeof(value))

@noinline function set_bytes!(out::Vector{UInt8}, at::Int, value::Int64, nbytes::Int)
    for i in 0:nbytes-1
        out[at+i+1] = (value >> (8 * i)) % UInt8
    end
end

pad!(out::Vector{UInt8}, alignment::Int, extra::Int = 0) =
    while (length(out) + extra) % alignment != 0
        push!(out, 0x00)
    end

grow!(out::Vector{UInt8}, nbytes::Int) = append!(out, zeros(UInt8, nbytes))

function widest_first(slots::Vector{Any})
    order = Int[]
    for size in (8, 4, 2, 1), i in 1:length(slots)
        slots[i] !== nothing && inline_size(slots[i]) == size && push!(order, i)
    end
    return order
end

inline_size(@nospecialize(value)) = value isa Bool ? 1 : value isa Integer ? sizeof(value) : 4

"Lay down vtable, table and children; return the position of the table."
@noinline function write_build!(out::Vector{UInt8}, @nospecialize(build))
    build = build::Build
    # Widest first: then every number is aligned once the first is.
    order = widest_first(build.slots)
    vtable_size = 4 + 2 * length(build.slots)
    widest = isempty(order) ? 4 : max(4, inline_size(build.slots[first(order)]))
    offsets, size = zeros(Int, length(build.slots)), widest  # the 4 bytes that lead to the vtable, and padding before the first number
    for i in order
        offsets[i] = size
        size += inline_size(build.slots[i])
    end
    pad!(out, 8, vtable_size)
    vtable = length(out)
    grow!(out, vtable_size)
    at = length(out)
    grow!(out, size)
    set!(out, vtable, UInt16(vtable_size))
    set!(out, vtable + 2, UInt16(size))
    set!(out, at, Int32(at - vtable))
    for i in order
        set!(out, vtable + 2 + 2 * i, UInt16(offsets[i]))
        value = build.slots[i]
        if value isa Integer
            set!(out, at + offsets[i], value isa Bool ? UInt8(value) : value)
        else
            child = write_child!(out, value)
            set!(out, at + offsets[i], UInt32(child - (at + offsets[i])))
        end
    end
    return at
end

@noinline function write_child!(out::Vector{UInt8}, @nospecialize(value))
    if value isa Build
        return write_build!(out, value)
    elseif value isa String
        pad!(out, 4)
        at = length(out)
        grow!(out, 4)
        set!(out, at, UInt32(sizeof(value)))
        append!(out, codeunits(value))
        push!(out, 0x00)
        return at
    elseif value isa Vector{Int}  # 32-bit numbers
        pad!(out, 4)
        at = length(out)
        grow!(out, 4 + 4 * length(value))
        set!(out, at, UInt32(length(value)))
        for i in 1:length(value)
            set!(out, at + 4 * i, Int32(value[i]))
        end
        return at
    elseif value isa WordStructs
        pad!(out, 8, 4)
        at = length(out)
        grow!(out, 4 + 8 * length(value.words))
        set!(out, at, UInt32(div(length(value.words), value.width)))
        for i in 1:length(value.words)
            set!(out, at + 8 * i - 4, value.words[i])
        end
        return at
    end
    builds = value::Vector{Build}
    pad!(out, 4)
    at = length(out)
    grow!(out, 4 + 4 * length(builds))
    set!(out, at, UInt32(length(builds)))
    for i in 1:length(builds)
        here = at + 4 * i
        set!(out, here, UInt32(write_child!(out, builds[i]) - here))
    end
    return at
end
