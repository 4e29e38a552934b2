# An attached file as a source of columns: where each column begins, and how all of its batches make a whole one.

"An attached file: its mapping, which columns keep alive, and its dictionaries once they were read."
mutable struct Source
    name::String
    path::String
    version::Version
    file::Descriptor  # to map columns from
    bytes::Vector{UInt8}
    footer::Footer
    dictionaries::Union{Nothing,IdDict{Any,Any}}  # id -> its batches; `nothing` before they were read
    pools::IdDict{Any,Any}                        # id -> its values
end

"Where a column begins in the lists of nodes, buffers and variadic counts of every batch, from 0."
struct Start
    node::Int
    buffer::Int
    variadic::Int
end

"The places of the columns, followed by the place where the next one would be."
@noinline function column_starts(footer::Footer)
    starts, at = Start[], Start(0, 0, 0)
    for field in footer.fields
        push!(starts, at)
        at = after(footer, field, at)
    end
    push!(starts, at)
    return starts
end

@noinline function after(footer::Footer, field::Field, at::Start)
    buffers, variadic = field.dictionary === nothing ? buffer_count(footer, field) : (2, 0)
    at = Start(at.node + 1, at.buffer + buffers, at.variadic + variadic)
    field.dictionary === nothing || return at
    for child in field.children
        at = after(footer, child, at)
    end
    return at
end

"The number of buffers of the field itself, without its children's; for views, the batch tells the number of further ones."
@noinline function buffer_count(footer::Footer, field::Field)
    kind = field.kind
    (kind === :utf8_view || kind === :binary_view) && return (2, 1)
    # A union has no validity since V5.
    kind === :union && return ((footer.version == 3 ? 2 : 1) + field.unit, 0)
    return (get(BUFFERS, kind, 2)::Int, 0)
end

"The kinds whose number of buffers is not two (validity and values)."
const BUFFERS = IdDict{Any,Any}(
    :null => 0, :run_end => 0, :struct => 1, :fixed_list => 1, :utf8 => 3, :binary => 3, :large_utf8 => 3,
    :large_binary => 3, :list_view => 3, :large_list_view => 3,
)

"The values of a dictionary: all of its batches together, since a file never replaces a dictionary."
@noinline function pool(source::Source, field::Field)
    id = field.dictionary
    known = guarded(() -> get(source.pools, id, nothing))
    known === nothing || return known
    is_used(id, field.children) && damaged("a dictionary of it is made of itself")
    plain = copy_field(field)
    plain.dictionary = plain.index = nothing
    values = read_column(source, plain, get(dictionary_batches(source), id, Batch[])::Vector{Batch}, Start(0, 0, 0))
    # Each text is made once for all rows that have it; values that are not text stay where they are.
    Base.nonmissingtype(eltype(values)) <: Union{String,Bytes} && (values = collect(values))
    # Another task may have been quicker; the columns of a table share one set of values.
    return guarded(() -> get!(source.pools, id, values))
end

is_used(id, fields::Vector{Field}) = any(field -> field.dictionary == id || is_used(id, field.children), fields)

@noinline function dictionary_batches(source::Source)
    known = guarded(() -> source.dictionaries)
    known === nothing || return known
    found = IdDict{Any,Any}()
    for block in source.footer.dictionaries
        id, adds, batch = read_dictionary(source.file.fd, block)
        batches = get!(() -> Batch[], found, id)::Vector{Batch}
        adds || isempty(batches) || damaged("it replaces a dictionary, which a file cannot")
        push!(batches, batch)
    end
    return guarded(() -> source.dictionaries = found)
end

"The most lists in lists: each level is a type of its own; compiling 12 of them took 38 s, and 20 never ended (Julia 1.5)."
const MAX_LAYERS = 9
layers(field::Field) = 1 + mapreduce(layers, max, field.children; init = 0)

"The whole column: if there is one batch, as it is; if there are several, as [`Chunked`](@ref)."
read_column(source::Source, field::Field, batches::Vector{Batch}, start::Start) =
    with_origin(read_chunks(source, field, batches, start), field)

@noinline function read_chunks(source::Source, field::Field, batches::Vector{Batch}, start::Start)
    layers(field) <= MAX_LAYERS || damaged("a column is nested more deeply than Julia can read, which is $MAX_LAYERS levels")
    if isempty(batches)
        nodes = after(source.footer, field, Start(0, 0, 0))
        batches = [Batch(0, fill((0, 0), nodes.node), fill((0, 0), nodes.buffer), fill(0, nodes.variadic))]
        start = Start(0, 0, 0)
    end
    nulls = Bool[any(batch -> k <= length(batch.nodes) && batch.nodes[k][2] != 0, batches) for k in 1:last_node(source, field, start)]
    if length(batches) == 1
        plain = read_plain(source, field, batches[1], start, nulls)
        plain === nothing || return plain
    end
    chunks = Any[]
    bits = is_bits(field) && !nulls[start.node+1]
    for batch in batches
        if bits
            push!(chunks, read_bits(source, field, batch, start, nulls))
            continue
        end
        variadic = start.variadic
        # The counts say how many buffers the views before this column have.
        buffer = start.buffer + extra_buffers(batch, variadic)
        push!(chunks, make(Cursor(source, batch, start.node, buffer, variadic, nulls), field))
    end
    length(chunks) == 1 && return chunks[1]
    return Chunked(collect_chunks(chunks))
end

last_node(source::Source, field::Field, start::Start) = after(source.footer, field, start).node

function extra_buffers(batch::Batch, variadic::Int)
    variadic <= length(batch.variadic) || damaged("it has fewer buffers than its schema says")
    extra = 0
    for count in view(batch.variadic, 1:variadic)
        0 <= count <= length(batch.buffers) || damaged("it has fewer buffers than its schema says")
        extra += count
    end
    return extra
end

"The parts as a vector of their one type. Batches without rows are left out."
@noinline function collect_chunks(chunks::Vector{Any})
    full = filter(!isempty, chunks)
    isempty(full) && (full = chunks[1:1])
    typed = Vector{typeof(full[1])}(undef, length(full))
    return copyto!(typed, full)
end

"A null-free column of one batch, with its values in memory in Julia's form: a `Vector` on a mapping of its own."
@noinline function read_plain(source::Source, field::Field, batch::Batch, start::Start, nulls::Vector{Bool})
    field.dictionary === nothing && extension(field) === nothing || return nothing
    field.kind in FIXED_KINDS || return nothing
    field.kind === :fixed_binary && !(1 <= field.width <= MAX_TUPLE) && return nothing
    S, N = fixed_type(field)
    S === N && !nulls[start.node+1] || return nothing
    cursor = Cursor(source, batch, start.node, start.buffer + extra_buffers(batch, start.variadic) + 1, 0, nulls)
    length = next_node!(cursor)
    buffer = next_buffer!(cursor, S, length)
    buffer.owner === source.bytes || return nothing  # it had to be copied
    length == 0 && return S[]
    return map_values(source.file, S, length, batch.buffers[cursor.buffer][1])
end

is_bits(field::Field) = field.kind === :bool && field.dictionary === nothing && extension(field) === nothing

"""
Null-free booleans of one batch: a `BitVector`, on a mapping of its own. It keeps its bits in 64-bit words, and bits after
its end are 0; if the file has them otherwise, they are copied.
"""
@noinline function read_bits(source::Source, field::Field, batch::Batch, start::Start, nulls::Vector{Bool})
    cursor = Cursor(source, batch, start.node, start.buffer + extra_buffers(batch, start.variadic), 0, nulls)
    bools = make(cursor, field)::Bools
    offset, nbytes = batch.buffers[cursor.buffer]
    rows = length(bools)
    count = cld(rows, 64)
    rows > 0 && offset % 8 == 0 && 8 * count <= nbytes || return BitVector(bools)
    words = map_values(source.file, UInt64, count, offset)
    rows % 64 == 0 || words[end] >> (rows % 64) == 0 || return BitVector(bools)
    return bits_of_words(words, rows)
end

const FIXED_KINDS = (:int, :float, :date, :time, :duration, :timestamp, :decimal, :interval, :fixed_binary)
