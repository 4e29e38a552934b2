# From Arrow's layout ("Physical Memory Layout" in the columnar specification) to columns: which buffers a column consists of.

"Reads one batch of one column: where it is in the lists, and which of its nodes have nulls in any batch."
mutable struct Cursor
    source::Source
    batch::Batch
    node::Int
    buffer::Int
    variadic::Int
    nulls::Vector{Bool}
end

@noinline function next_node!(cursor::Cursor)
    cursor.node += 1
    cursor.node <= length(cursor.batch.nodes) || damaged("it has fewer columns than its schema says")
    return cursor.batch.nodes[cursor.node][1]
end

"The next buffer: `count` values of type `S`."
@noinline function next_buffer!(cursor::Cursor, S::Type, count::Int)
    cursor.buffer += 1
    cursor.buffer <= length(cursor.batch.buffers) || damaged("it has fewer buffers than its schema says")
    offset, nbytes = cursor.batch.buffers[cursor.buffer]
    # An empty column may have empty buffers, even where one offset is required.
    count == 0 && return Buffer{S}(cursor.source.bytes, 0, 0)
    count <= nbytes ÷ max(1, sizeof(S)) || damaged("a column of it is shorter than it says")
    return Buffer{S}(cursor.source.bytes, offset, count)
end

"The next buffer, whole, as bytes."
@noinline function next_bytes!(cursor::Cursor)
    cursor.buffer += 1
    cursor.buffer <= length(cursor.batch.buffers) || damaged("it has fewer buffers than its schema says")
    offset, nbytes = cursor.batch.buffers[cursor.buffer]
    return Buffer{UInt8}(cursor.source.bytes, offset, nbytes)
end

"The validity of the node that was read last: `nothing` if no batch has nulls in it."
@noinline function next_validity!(cursor::Cursor, length::Int)
    bits, node = next_bytes!(cursor), cursor.node
    cursor.nulls[node] || return nothing
    # A null count of 0 and a missing buffer both say that no value is null.
    (cursor.batch.nodes[node][2] == 0 || isempty(bits)) && return Validity(bits, true)
    cld(length, 8) <= Base.length(bits) || damaged("a column of it is shorter than it says")
    return Validity(bits, false)
end

offsets_count(length::Int) = length == 0 ? 0 : length + 1

"A column of one batch, or a part of one. Its type depends on `field` and `cursor.nulls` only: the same in every batch."
@noinline function make(cursor::Cursor, field::Field)
    field.dictionary === nothing || return make_pooled(cursor, field)
    kind = field.kind
    length = next_node!(cursor)
    origin = Origin(field, cursor.source.pools)
    kind === :null && return Missings(length, origin)
    kind === :run_end && return make_runs(cursor, field, length, origin)
    kind === :union && return make_union(cursor, field, length, origin)
    validity = next_validity!(cursor, length)
    if kind === :bool
        bits = next_bytes!(cursor)
        cld(length, 8) <= Base.length(bits) || too_short()
        return Bools(bits, validity, length, origin)
    elseif kind in (:utf8, :large_utf8, :binary, :large_binary)
        O = kind in (:utf8, :binary) ? Int32 : Int64
        offsets = next_buffer!(cursor, O, offsets_count(length))
        N = kind in (:utf8, :large_utf8) ? String : Bytes
        return Texts{N}(offsets, next_bytes!(cursor), validity, length, origin)
    elseif kind in (:utf8_view, :binary_view)
        return make_views(cursor, field, validity, length, origin)
    elseif kind in (:list, :large_list, :map)
        offsets = next_buffer!(cursor, kind === :large_list ? Int64 : Int32, offsets_count(length))
        return Lists(offsets, nothing, make_elements(cursor, field), validity, length, origin)
    elseif kind in (:list_view, :large_list_view)
        O = kind === :list_view ? Int32 : Int64
        offsets, sizes = next_buffer!(cursor, O, length), next_buffer!(cursor, O, length)
        return Lists(offsets, sizes, make_elements(cursor, field), validity, length, origin)
    elseif kind === :fixed_list
        values = make_elements(cursor, field)
        field.width == 0 || length <= Base.length(values) ÷ field.width || too_short()
        return make_fixed(field, values, validity, length, origin)
    elseif kind === :struct
        parts = make_parts(cursor, field, length)
        N = NamedTuple{Tuple(unique_names(field.children)),Tuple{map(eltype, parts)...}}
        return Structs{N}(parts, validity, length, origin)
    elseif kind === :fixed_binary && !(1 <= field.width <= MAX_TUPLE)
        data = next_bytes!(cursor)
        field.width == 0 || length <= Base.length(data) ÷ field.width || too_short()
        return Blobs(data, field.width, validity, length, origin)
    end
    S, N = fixed_type(field)
    values = next_buffer!(cursor, S, length)
    # An extension's name would be lost with a plain buffer.
    S === N && validity === nothing && extension(field) === nothing && return values
    return Numbers{N}(values, validity, origin)
end

@noinline too_short() = damaged("a column of it is shorter than it says")

@noinline function make_elements(cursor::Cursor, field::Field)
    length(field.children) == 1 || damaged("a list of it has not one column of elements")
    child = field.children[1]
    field.kind === :map && child.kind === :struct && child.dictionary === nothing || return make(cursor, child)
    # A map's entries are pairs, not structs with names that each writer chooses.
    length(child.children) == 2 || damaged("a map of it has not keys and values")
    count = next_node!(cursor)
    next_validity!(cursor, count)  # in the specification, entries are never null
    parts = make_parts(cursor, child, count)
    return Structs{Pair{eltype(parts[1]),eltype(parts[2])}}(parts, nothing, count, Origin(child, cursor.source.pools))
end

@noinline function make_parts(cursor::Cursor, field::Field, length::Int)
    parts = Any[make(cursor, child) for child in field.children]
    all(part -> Base.length(part) >= length, parts) || too_short()
    return Tuple(parts)
end

const MAX_PARTS = 8  # a longer tuple takes longer to compile than it saves

@noinline function make_union(cursor::Cursor, field::Field, length::Int, origin::Origin)
    # Before V5 a union had a validity of its own.
    validity = cursor.source.footer.version == 3 ? next_validity!(cursor, length) : nothing
    tags = next_buffer!(cursor, Int8, length)
    places = field.unit == 1 ? next_buffer!(cursor, Int32, length) : nothing
    parts = Any[make(cursor, child) for child in field.children]
    # Each part of a sparse union has a row for each value.
    places === nothing && any(part -> Base.length(part) < length, parts) && too_short()
    numbers = zeros(Int, 128)
    for (k, tag) in enumerate(field.tags)
        numbers[tag+1] = k
    end
    types = Any[eltype(part) for part in parts]
    N = Union{Missing,types...}
    any(type -> Missing <: type, types) || (N = Base.nonmissingtype(N))
    isempty(types) && (N = Missing)
    names = are_apart(types) ? nothing : Tuple(unique_names(field.children))
    names === nothing || (N = Pair{Symbol,N})
    parts = Base.length(parts) <= MAX_PARTS ? Tuple(parts) : parts
    return Unions{N}(tags, places, parts, numbers, names, validity, origin)
end

"Whether a value's type tells which part of the union it belongs to."
@noinline function are_apart(types::Vector{Any})
    for i in 2:length(types), k in 1:i-1
        typeintersect(Base.nonmissingtype(types[i]), Base.nonmissingtype(types[k])) === Union{} || return false
    end
    return true
end

@noinline function make_runs(cursor::Cursor, field::Field, length::Int, origin::Origin)
    Base.length(field.children) == 2 && is_run_end(field.children[1]) || damaged("a column of runs has no ends")
    count = next_node!(cursor)
    next_validity!(cursor, count)
    ends = next_buffer!(cursor, fixed_type(field.children[1])[1], count)
    values = make(cursor, field.children[2])
    Columns.are_ends(ends, Base.length(values), length) || damaged("a column of runs has ends that do not rise")
    return Runs(ends, values, length, origin)
end

is_run_end(field::Field) = field.kind === :int && field.signed && field.bits > 8 && field.dictionary === nothing

@noinline function make_views(cursor::Cursor, field::Field, validity, length::Int, origin::Origin)
    views = next_buffer!(cursor, NTuple{4,Int32}, length)
    cursor.variadic += 1
    cursor.variadic <= Base.length(cursor.batch.variadic) || damaged("it has fewer buffers than its schema says")
    count = cursor.batch.variadic[cursor.variadic]
    0 <= count <= Base.length(cursor.batch.buffers) - cursor.buffer || damaged("it has fewer buffers than its schema says")
    data = Buffer{UInt8}[next_bytes!(cursor) for _ in 1:count]
    raw = Buffer{UInt8}(views.owner, Int(UInt(views.start) - UInt(pointer(views.owner))), 16 * length)
    return Views{field.kind === :utf8_view ? String : Bytes}(views, raw, data, validity, origin)
end

"The names as symbols. A `NamedTuple` cannot have a name twice: the second `a` is `a_1`."
@noinline function unique_names(fields::Vector{Field})
    names, taken = Symbol[], IdDict{Any,Any}()
    for field in fields
        plain = without_nul(field.name)
        name, n = Symbol(plain), 0
        while haskey(taken, name)
            n += 1
            name = Symbol(plain, "_", n)
        end
        taken[name] = true
        push!(names, name)
    end
    return names
end

"The name as a symbol. Arrow's texts may hold NUL, Julia's symbols may not: it becomes the picture of NUL."
without_nul(text::String) = 0x00 in codeunits(text) ? replace(text, '\0' => '\u2400') : text

"The number of each name, as an `IdDict`: Julia has that compiled already, and not a `Dict{Symbol,Int}`, which takes 0.2 s."
@noinline function lookup_of(names::Vector{Symbol})
    lookup = IdDict{Any,Any}()
    for i in 1:length(names)
        lookup[names[i]] = i
    end
    return lookup
end

const MAX_TUPLE = 64  # bytes: beyond that, compiling for a tuple type costs more than it saves

const PERIODS = (Second, Millisecond, Microsecond, Nanosecond)

"The type in memory and the type for people, for values of fixed size. If both are the same, a null-free column is a `Vector`."
@noinline function fixed_type(field::Field)
    kind = field.kind
    if kind === :int
        T = field.signed ? (Int8, Int16, Int32, Int64) : (UInt8, UInt16, UInt32, UInt64)
        T = T[trailing_zeros(field.bits)-2]
        return T, T
    elseif kind === :float
        T = (Float16, Float32, Float64)[trailing_zeros(field.bits)-3]
        return T, T
    elseif kind === :date
        return field.unit == 0 ? (Int32, Date) : (Raw{Millisecond,Int64}, Date)
    elseif kind === :time
        field.unit == 3 && return Time, Time
        return Raw{PERIODS[field.unit+1],field.bits == 32 ? Int32 : Int64}, Time
    elseif kind === :duration
        return PERIODS[field.unit+1], PERIODS[field.unit+1]
    elseif kind === :timestamp
        T = Timestamp{PERIODS[field.unit+1],field.zone === nothing ? nothing : Symbol(without_nul(field.zone))}
        return T, field.zone === nothing && field.unit < 2 ? DateTime : T
    elseif kind === :decimal
        T = Decimal{field.precision,field.scale,Columns.digits_type(field.precision)}
        S = field.bits == 32 ? Int32 : field.bits == 64 ? Int64 : field.bits == 256 ? Words : T
        isbitstype(S) || damaged("it has decimals with more digits than fit")
        return S, T
    elseif kind === :interval
        field.unit == 0 && return Raw{Month,Int32}, Month
        return field.unit == 1 ? (DayTime, DayTime) : (MonthDayNano, MonthDayNano)
    elseif kind === :fixed_binary
        field.width == 16 && extension(field) == "arrow.uuid" && return Halves, UUID
        T = NTuple{field.width,UInt8}
        return T, T
    end
    damaged("it has a column of an unknown type")
end

@noinline function make_pooled(cursor::Cursor, field::Field)
    length = next_node!(cursor)
    validity = next_validity!(cursor, length)
    indices = next_buffer!(cursor, fixed_type(field.index)[1], length)
    return Pooled(indices, pool(cursor.source, field), validity, Origin(field, cursor.source.pools))
end
