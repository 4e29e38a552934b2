# Columns' names and types in Arrow's metadata (Schema.fbs), read from and written to its encoding.

"""
A column, or a part of a nested one. A field that does not apply to its `kind` is empty; `dictionary` is the number of the
dictionary that has its values, and `index` is then the integer type of the indices.
"""
mutable struct Field
    name::String
    kind::Symbol
    nullable::Bool
    bits::Int        # of an integer, a float, a time, a decimal
    signed::Bool
    unit::Int        # seconds, milliseconds, microseconds, nanoseconds; days and milliseconds of a date
    zone::Union{Nothing,String}
    precision::Int
    scale::Int
    width::Int       # of fixed-size binary and lists
    children::Vector{Field}
    dictionary::Union{Nothing,Int64}
    index::Union{Nothing,Field}
    ordered::Bool    # of a dictionary; `sorted` of a map's keys
    sorted::Bool
    tags::Vector{Int}  # of a union's children
    metadata::Vector{Pair{String,String}}
    # Set field by field: a constructor with keywords costs a quarter of a second of compiling at the first attach.
    Field(name::String, kind::Symbol) =
        new(name, kind, true, 0, true, 0, nothing, 0, 0, 0, Field[], nothing, nothing, false, false, Int[], Pair{String,String}[])
end

# Schema.fbs, union Type, from 1
const KINDS = (
    :null, :int, :float, :binary, :utf8, :bool, :decimal, :date, :time, :timestamp, :interval, :list, :struct, :union,
    :fixed_binary, :fixed_list, :map, :duration, :large_binary, :large_utf8, :large_list, :run_end, :binary_view,
    :utf8_view, :list_view, :large_list_view,
)
const FLOAT_BITS = (16, 32, 64)
const UNIT_NAMES = ("s", "ms", "us", "ns")
const MAX_DEPTH = 64

"""
How many bytes of some metadata may still be read. Several offsets can lead to the same tables and texts, so a few garbled
bytes may claim to hold gigabytes; no writer shares that much.
"""
budget(data::Vector{UInt8}) = Ref(8 * length(data))
@noinline function spend!(left::Ref{Int}, nbytes::Int)
    left[] -= nbytes
    left[] >= 0 || damaged("its metadata refers to itself too often")
    return
end

"The fields of the Schema table."
@noinline function read_schema(schema::FlatTable)
    scalar(schema, 0, 2, 0) == 0 || damaged("it was written on a machine of the other byte order")
    return read_fields(schema, 1, 1, budget(schema.data))
end

@noinline function read_fields(table::FlatTable, slot::Int, depth::Int, left::Ref{Int})
    fields = Field[]
    start, count = elements(table, slot, 4)
    for i in 0:count-1
        push!(fields, read_field(root_table(table.data, start + 4 * i), depth, left))
    end
    return fields
end

@noinline function read_field(table::FlatTable, depth::Int, left::Ref{Int})
    depth <= MAX_DEPTH || damaged("its columns are nested too deeply")
    kind = scalar(table, 2, 1, 0)
    1 <= kind <= length(KINDS) || damaged("it has a column of an unknown type")
    field = Field(text(table, 0), KINDS[kind])
    spend!(left, 16 + sizeof(field.name))
    field.nullable = flag(table, 1)
    read_type!(field, subtable(table, 3))
    encoding = subtable(table, 4)
    if encoding !== nothing
        field.index = Field("", :int)
        field.index.bits = 32
        number = subtable(encoding, 1)
        number === nothing || read_integer!(field.index, number)
        field.dictionary = scalar(encoding, 0, 8, 0)
        field.ordered = flag(encoding, 2)
    end
    field.children = read_fields(table, 5, depth + 1, left)
    field.kind === :union && check_tags!(field)
    field.metadata = read_metadata(table, 6, left)
    return field
end

const EMPTY_TABLE = FlatTable(UInt8[4, 0, 0, 0, 4, 0, 0, 0], 4, 0, 0)

@noinline function read_integer!(field::Field, type::FlatTable)
    field.bits, field.signed = scalar(type, 0, 4, 0), flag(type, 1)
    field.bits in (8, 16, 32, 64) || damaged("it has integers of an unknown size")
    return
end

"The field's type. The defaults are those of Schema.fbs."
@noinline function read_type!(field::Field, found::Union{Nothing,FlatTable})
    type, kind = found === nothing ? EMPTY_TABLE : found, field.kind
    if kind === :int
        read_integer!(field, type)
    elseif kind === :float
        field.bits = FLOAT_BITS[short(type, 0, 0, 2)+1]
    elseif kind === :decimal
        field.precision = scalar(type, 0, 4, 0)
        field.scale = scalar(type, 1, 4, 0)
        field.bits = scalar(type, 2, 4, 128)
        field.bits in (32, 64, 128, 256) || damaged("it has decimals of an unknown size")
        1 <= field.precision <= 76 && -1000 <= field.scale <= 1000 || damaged("a number of its metadata is out of range")
    elseif kind === :date
        field.unit = short(type, 0, 1, 1)
    elseif kind === :time
        field.unit, field.bits = short(type, 0, 1, 3), scalar(type, 1, 4, 32)
        field.bits == (field.unit < 2 ? 32 : 64) || damaged("it has times of an unknown size")
    elseif kind === :timestamp
        field.unit, zone = short(type, 0, 0, 3), text(type, 1)
        field.zone = isempty(zone) ? nothing : zone
    elseif kind === :duration
        field.unit = short(type, 0, 1, 3)
    elseif kind === :interval
        field.unit = short(type, 0, 0, 2)
    elseif kind === :union
        field.unit = short(type, 0, 0, 1)  # sparse, dense: also the number of its offset buffers
        start, count = elements(type, 1, 4)
        for i in 0:count-1
            push!(field.tags, load(type.data, start + 4 * i, 4))
        end
    elseif kind === :map
        field.sorted = flag(type, 0)
    elseif kind === :fixed_binary || kind === :fixed_list
        field.width = scalar(type, 0, 4, 0)
        field.width >= 0 || damaged("a number of its metadata is out of range")
    end
    return
end

"A union that does not say otherwise numbers its children from 0."
@noinline function check_tags!(field::Field)
    isempty(field.tags) && append!(field.tags, 0:length(field.children)-1)
    length(field.tags) == length(field.children) && allunique(field.tags) && all(tag -> 0 <= tag <= 127, field.tags) ||
        damaged("a union of it has types without a number of their own")
    return
end

"The name of a field's extension type, or `nothing`."
@noinline function extension(field::Field)
    for (key, value) in field.metadata
        key == EXTENSION && return value
    end
    return nothing
end
const EXTENSION = "ARROW:extension:name"

"A 16-bit enumeration from 0 to `last`."
@noinline function short(type::FlatTable, slot::Int, default::Int, last::Int)
    value = scalar(type, slot, 2, default)
    0 <= value <= last || damaged("a number of its metadata is out of range")
    return value
end

@noinline function read_metadata(table::FlatTable, slot::Int, left::Ref{Int} = budget(table.data))
    found = Pair{String,String}[]
    start, count = elements(table, slot, 4)
    for i in 0:count-1
        entry = root_table(table.data, start + 4 * i)
        key, value = text(entry, 0), text(entry, 1)
        spend!(left, 8 + sizeof(key) + sizeof(value))
        push!(found, Pair{String,String}(key, value))
    end
    return found
end

# -- writing -----------------------------------------------------------------------------------------------------------

@noinline build_schema(fields::Vector{Field}, metadata) =
    Build(Int16(0), build_fields(fields), build_metadata(metadata))

@noinline function build_fields(fields::Vector{Field})
    builds = Build[]
    for field in fields
        push!(builds, build_field(field))
    end
    return builds
end

@noinline function build_field(field::Field)
    encoding = field.dictionary === nothing ? nothing :
        Build(field.dictionary, build_type(field.index), field.ordered)
    return Build(
        field.name,
        field.nullable,
        UInt8(findfirst(==(field.kind), KINDS)),
        build_type(field),
        encoding,
        build_fields(field.children),
        build_metadata(field.metadata),
    )
end

@noinline function build_type(field::Field)
    kind = field.kind
    kind === :int && return Build(Int32(field.bits), field.signed)
    kind === :float && return Build(Int16(findfirst(==(field.bits), FLOAT_BITS) - 1))
    kind === :decimal && return Build(Int32(field.precision), Int32(field.scale), Int32(field.bits))
    kind in (:date, :duration) && return Build(Int16(field.unit))
    kind === :time && return Build(Int16(field.unit), Int32(field.bits))
    kind === :timestamp && return Build(Int16(field.unit), field.zone)
    kind in (:fixed_binary, :fixed_list) && return Build(Int32(field.width))
    kind === :map && return Build(field.sorted)
    kind === :interval && return Build(Int16(field.unit))
    kind === :union && return Build(Int16(field.unit), field.tags)
    return Build()
end

@noinline function build_metadata(metadata::Vector{Pair{String,String}})
    isempty(metadata) && return nothing
    builds = Build[]
    for (key, value) in metadata
        push!(builds, Build(key, value))
    end
    return builds
end

# -- for people --------------------------------------------------------------------------------------------------------

function copy_field(field::Field)
    copied = Field(field.name, field.kind)
    for name in fieldnames(Field)
        setfield!(copied, name, getfield(field, name))
    end
    return copied
end

"The type as Arrow's users write it: `int64`, `timestamp[us, tz=UTC]`, `list<string>`."
function type_text(field::Field)
    if field.dictionary !== nothing
        return "dictionary<$(plain_text(field)), $(plain_text(field.index))>"
    end
    name = extension(field)
    return name === nothing ? plain_text(field) : "extension<$name>"
end

function plain_text(field::Field)
    kind, parts = field.kind, field.children
    kind === :int && return "$(field.signed ? "" : "u")int$(field.bits)"
    kind === :float && return ("halffloat", "float", "double")[findfirst(==(field.bits), FLOAT_BITS)]
    kind === :utf8 && return "string"
    kind === :large_utf8 && return "large_string"
    kind === :utf8_view && return "string_view"
    kind === :decimal && return "decimal$(field.bits)($(field.precision), $(field.scale))"
    kind === :date && return field.unit == 0 ? "date32" : "date64"
    kind === :time && return "time$(field.bits)[$(UNIT_NAMES[field.unit+1])]"
    kind === :duration && return "duration[$(UNIT_NAMES[field.unit+1])]"
    if kind === :timestamp
        return "timestamp[$(UNIT_NAMES[field.unit+1])$(field.zone === nothing ? "" : ", tz=$(field.zone)")]"
    end
    kind === :interval && return ("year_month", "day_time", "month_day_nano")[field.unit+1] * "_interval"
    kind === :fixed_binary && return "fixed_size_binary[$(field.width)]"
    kind === :fixed_list && return "fixed_size_list<$(join(map(type_text, parts), ", "))>[$(field.width)]"
    kind === :run_end && return "run_end_encoded<$(join(map(type_text, parts), ", "))>"
    isempty(parts) && return String(kind)
    inner = kind in (:struct, :union) ? ["$(part.name): $(type_text(part))" for part in parts] : map(type_text, parts)
    return "$kind<$(join(inner, ", "))>"
end
