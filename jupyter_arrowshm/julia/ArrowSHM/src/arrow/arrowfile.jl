# One Arrow IPC file ("IPC File Format" in the columnar specification): its footer, its batches, and our facts in it.

const PROTOCOL = "1"
const MAGIC = Vector{UInt8}(codeunits("ARROW1"))
const PREFIX = "arrowshm."
const MAX_FOOTER = 1 << 28
const MAX_ROWS = 1 << 48  # more than any memory holds, and too few for a sum to overflow

struct Block
    offset::Int
    metadata::Int
    body::Int
end

"The footer of a file: a description of its contents, without the rows."
struct Footer
    version::Int                            # of its messages: 3 is V4, 4 is V5 (Schema.fbs, MetadataVersion)
    fields::Vector{Field}
    metadata::Vector{Pair{String,String}}   # the user's, of the schema
    facts::Dict{String,String}              # ours, without their prefix; empty if another program wrote the file
    dictionaries::Vector{Block}
    batches::Vector{Block}
end

"A record batch's layout: rows, `(length, null count)` of each node, `(offset in the file, bytes)` of each buffer."
struct Batch
    rows::Int
    nodes::Vector{Tuple{Int,Int}}
    buffers::Vector{Tuple{Int,Int}}
    variadic::Vector{Int}
end

function is_magic(tail::Vector{UInt8})
    for i in 1:length(MAGIC)
        tail[4+i] == MAGIC[i] || return false
    end
    return true
end

"Read the footer of an open file of `size` bytes. Throws `Damaged`."
@noinline function read_footer(fd::Integer, size::Integer)
    size >= 2 * length(MAGIC) + 6 || damaged("it is not a whole Arrow file (it is too small)")
    tail = read_at(fd, size - 10, 10)
    length(tail) == 10 && is_magic(tail) || damaged("it is not a whole Arrow file (its end is missing)")
    nbytes = load(tail, 0, 4)
    0 < nbytes <= min(size - 18, MAX_FOOTER) || damaged("it is not a whole Arrow file (its footer is broken)")
    data = read_at(fd, size - 10 - nbytes, nbytes)
    length(data) == nbytes || damaged("it is not a whole Arrow file (it shrank)")
    footer = root_table(data, 0)
    schema = subtable(footer, 1)
    schema === nothing && damaged("it has no schema")
    facts = Dict{String,String}()
    for (key, value) in read_metadata(footer, 4)
        startswith(key, PREFIX) && (facts[String(SubString(key, sizeof(PREFIX) + 1))] = value)
    end
    fields, metadata = read_schema(schema), read_metadata(schema, 2)
    dictionaries, batches = read_blocks(footer, 2, size), read_blocks(footer, 3, size)
    # The footer's own version is not used: Arrow 0.14 wrote none there. The version tells the layout of unions, nothing else.
    version = isempty(batches) || !has_union(fields) ? 4 : scalar(open_message(fd, batches[1]), 0, 2, 0)
    return Footer(version, fields, metadata, facts, dictionaries, batches)
end

has_union(fields::Vector{Field}) = any(field -> field.kind === :union || has_union(field.children), fields)

@noinline function read_blocks(footer::FlatTable, slot::Int, size::Integer)
    start, count = elements(footer, slot, 24)
    blocks = Block[]
    for i in 0:count-1
        at = start + 24 * i
        offset, metadata, body = load(footer.data, at, 8), load(footer.data, at + 8, 4), load(footer.data, at + 16, 8)
        offset >= 0 && metadata > 8 && body >= 0 || damaged("a part of it has no place")
        offset <= size && metadata <= size && body <= size && offset + metadata + body <= size ||
            damaged("it is not a whole Arrow file (a part lies behind its end)")
        push!(blocks, Block(offset, metadata, body))
    end
    return blocks
end

"A block's message (Message.fbs)."
@noinline function open_message(fd::Integer, block::Block)
    data = read_at(fd, block.offset, block.metadata)
    length(data) == block.metadata || damaged("it is not a whole Arrow file (it shrank)")
    # Format versions before 0.15 lack the continuation marker.
    message = root_table(data, load(data, 0, 4) == -1 ? 8 : 4)
    scalar(message, 0, 2, 0) in (3, 4) || damaged("its format version is unknown")
    return message
end

"The header of a block's message, which must be of type `type`."
@noinline function read_message(fd::Integer, block::Block, type::Integer)
    message = open_message(fd, block)
    scalar(message, 1, 1, 0) == type || damaged("a part of it is not what the footer says")
    header = subtable(message, 2)
    header === nothing && damaged("a part of it has no header")
    return header
end

read_batch(fd::Integer, block::Block) = batch_of(read_message(fd, block, 3), block)

"`(id, whether it adds to the one before, batch)` of a dictionary's block."
@noinline function read_dictionary(fd::Integer, block::Block)
    header = read_message(fd, block, 2)
    data = subtable(header, 1)
    data === nothing && damaged("a dictionary of it has no values")
    return scalar(header, 0, 8, 0), flag(header, 2), batch_of(data, block)
end

@noinline function batch_of(header::FlatTable, block::Block)
    place(header, 3) < 0 || damaged("it is compressed, so it cannot be used where it lies")
    rows = scalar(header, 0, 8, 0)
    0 <= rows <= MAX_ROWS || damaged("a part of it has no possible length")
    start, count = elements(header, 1, 16)
    nodes = Vector{Tuple{Int,Int}}(undef, count)
    for i in 1:count
        nodes[i] = (load(header.data, start + 16 * i - 16, 8), load(header.data, start + 16 * i - 8, 8))
        0 <= nodes[i][1] <= MAX_ROWS || damaged("a column of it has no possible length")
    end
    start, count = elements(header, 2, 16)
    buffers = Vector{Tuple{Int,Int}}(undef, count)
    for i in 1:count
        offset, nbytes = load(header.data, start + 16 * i - 16, 8), load(header.data, start + 16 * i - 8, 8)
        0 <= offset <= block.body && 0 <= nbytes <= block.body - offset ||
            damaged("a column of it lies outside of the file")
        buffers[i] = (block.offset + block.metadata + offset, nbytes)
    end
    start, count = elements(header, 4, 8)
    variadic = Int[]
    for i in 0:count-1
        push!(variadic, load(header.data, start + 8 * i, 8))
    end
    return Batch(rows, nodes, buffers, variadic)
end

"The number of rows, from the facts or, if the writer did not know it before the first batch, from the batches."
function count_rows(fd::Integer, footer::Footer)
    told = tryparse(Int, get(footer.facts, "rows", ""))
    told === nothing || told < 0 || return told
    return reduce(+, (scalar(read_message(fd, block, 3), 0, 8, 0) for block in footer.batches); init = 0)
end

"""
The moment of `arrowshm.published` (ISO 8601 with an offset) as UTC; `nothing` if it cannot be parsed. It is parsed by hand:
Julia takes 1.5 s to compile its own parser of dates.
"""
@noinline function published_at(facts::Dict{String,String})
    text = get(facts, "published", "")::String
    isascii(text) && length(text) >= 20 && text[11] == 'T' || return nothing
    year, month, day = digits_at(text, 1, 4), digits_at(text, 6, 2), digits_at(text, 9, 2)
    hour, minute, second = digits_at(text, 12, 2), digits_at(text, 15, 2), digits_at(text, 18, 2)
    1 <= month <= 12 && 1 <= day <= Dates.daysinmonth(max(year, 0), month) && year >= 0 || return nothing
    hour >= 0 && minute >= 0 && second >= 0 || return nothing
    at, thousandths = 20, 0
    if text[20] == '.'
        at = 21
        while at <= length(text) && isdigit(text[at])
            at <= 23 && (thousandths += (text[at] - '0') * (100, 10, 1)[at-20])
            at += 1
        end
    end
    offset = 0
    if at + 5 == length(text) && text[at+3] == ':'
        hours, minutes = digits_at(text, at + 1, 2), digits_at(text, at + 4, 2)
        hours >= 0 && minutes >= 0 || return nothing
        offset = (60 * hours + minutes) * (text[at] == '-' ? -1 : 1)
    elseif text[at:end] != "Z"
        return nothing
    end
    days = Dates.value(Date(year, month, day))
    seconds = 86400 * days + 3600 * hour + 60 * (minute - offset) + second
    return DateTime(Dates.UTM(1000 * seconds + thousandths))
end

"The number made of the `count` digits from `at` on; -1 if they are not all digits."
function digits_at(text::String, at::Int, count::Int)
    number = 0
    for i in at:at+count-1
        i <= length(text) && isdigit(text[i]) || return -1
        number = 10 * number + (text[i] - '0')
    end
    return number
end

"Whether one of our clients wrote the file."
is_ours(facts::Dict{String,String}) = haskey(facts, "protocol")
