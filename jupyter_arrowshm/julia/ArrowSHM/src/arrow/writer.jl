# One record batch, and its dictionaries, as one Arrow IPC file ("IPC File Format" in the columnar specification), by write(2).

const METADATA_VERSION = Int16(4)  # V5
const SCHEMA_MESSAGE, DICTIONARY_MESSAGE, BATCH_MESSAGE = 0x01, 0x02, 0x03

"Appends to a descriptor and counts the bytes."
mutable struct Sink
    fd::Cint
    written::Int
end

function put!(sink::Sink, data::Vector{UInt8})
    write_all(sink.fd, data)
    sink.written += length(data)
end

"Write a buffer, and zeros up to the next multiple of 64."
@noinline function put_buffer!(sink::Sink, @nospecialize(buffer))
    nbytes = nbytes_of(buffer)
    nbytes == 0 && return
    GC.@preserve buffer write_all(sink.fd, Ptr{UInt8}(pointer(buffer)), nbytes)
    sink.written += nbytes
    padded(nbytes) == nbytes || put!(sink, zeros(UInt8, padded(nbytes) - nbytes))
end

"Write a message's metadata, padded so that its body begins at a multiple of 64; return its length including the padding."
@noinline function put_message!(sink::Sink, type::UInt8, header::Build, body::Int)
    data = encode(Build(METADATA_VERSION, type, header, Int64(body)))
    pad!(data, 64, sink.written + 8)
    prefix = zeros(UInt8, 8)
    set!(prefix, 0, 0xffffffff)
    set!(prefix, 4, Int32(length(data)))
    put!(sink, append!(prefix, data))
    return length(prefix)
end

"Write a record batch, alone or as the values of dictionary `number`; return its block for the footer."
@noinline function put_batch!(sink::Sink, encoded::Encoded, number::Union{Nothing,Int} = nothing)
    words, offset = Int64[], 0
    for buffer in encoded.buffers
        push!(words, offset, nbytes_of(buffer))
        offset += padded(nbytes_of(buffer))
    end
    nodes = Int64[]
    for node in encoded.nodes
        push!(nodes, node[1], node[2])
    end
    counts = isempty(encoded.variadic) ? nothing : WordStructs(Vector{Int64}(encoded.variadic), 1)
    header = Build(Int64(encoded.rows), WordStructs(nodes, 2), WordStructs(words, 2), nothing, counts)
    begun = sink.written
    metadata = if number === nothing
        put_message!(sink, BATCH_MESSAGE, header, offset)
    else
        put_message!(sink, DICTIONARY_MESSAGE, Build(Int64(number), header), offset)
    end
    foreach(buffer -> put_buffer!(sink, buffer), encoded.buffers)
    return Int64[begun, metadata, offset]
end

function prefixed(facts::Vector{Pair{String,String}})
    found = Pair{String,String}[]
    for (key, value) in facts
        push!(found, Pair{String,String}(PREFIX * key, value))
    end
    return found
end

"Write the file; return its size."
@noinline function write_file(fd::Integer, encoded::Encoded, facts::Vector{Pair{String,String}}, metadata)
    sink = Sink(fd, 0)
    put!(sink, [MAGIC; 0x00; 0x00])
    schema = build_schema(encoded.fields, metadata)
    put_message!(sink, SCHEMA_MESSAGE, schema, 0)
    dictionaries = Int64[]
    for (number, _, values) in encoded.dictionaries
        append!(dictionaries, put_batch!(sink, values, number))
    end
    batch = put_batch!(sink, encoded)
    put!(sink, UInt8[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
    footer = encode(Build(
        METADATA_VERSION, schema, WordStructs(dictionaries, 3), WordStructs(batch, 3), build_metadata(prefixed(facts)),
    ))
    size = zeros(UInt8, 4)
    set!(size, 0, Int32(length(footer)))
    put!(sink, [footer; size; MAGIC])
    return sink.written
end
