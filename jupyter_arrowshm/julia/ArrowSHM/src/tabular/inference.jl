# The Arrow type that Julia's values become.

"The field of values of type `N`, without its children. Throws [`UnsupportedSource`](@ref)."
@noinline function field_of(kind::String, column::String, name::String, @nospecialize(N))
    if N isa Union
        # The `<:` tests of `plain_field` are true for a union, too.
        types = arrow_types(kind, column, N)
        return length(types) == 1 ? field_of(kind, column, name, types[1][1]) : with_unit(Field(name, :union), 1)
    end
    field = plain_field(name, N)
    field === nothing || return field
    if N <: Union{AbstractString,Symbol,Char}
        return Field(name, :utf8)
    elseif N <: Union{Bytes,Vector{UInt8}}
        return Field(name, :binary)
    elseif N <: AbstractDict || N <: AbstractVector{<:Pair} && !(eltype(N) isa Union)
        return Field(name, :map)
    elseif N <: AbstractVector
        return Field(name, :list)
    elseif N <: Pair || N <: NamedTuple && isconcretetype(N)
        return Field(name, :struct)
    elseif N <: Tuple && isconcretetype(N) && N <: NTuple{K,eltype(N)} where {K} && isconcretetype(eltype(N))
        return sized(Field(name, :fixed_list), fieldcount(N))
    end
    unsupported(kind, column, N)
end

"""
The types of a union, grouped where they are one type in Arrow: `String` with `SubString`, `Day` with `Week`, vectors
with views of the same elements. `[[N]]` for any other type.
"""
@noinline function arrow_types(kind::String, column::String, @nospecialize(N))
    N isa Union || return Any[Any[N]]
    known, found = Any[], Any[]
    for type in sort!(union_types(N); by = string)  # Julia's own order is not a promise
        field = field_of(kind, column, "", type)
        inner = field.kind in (:list, :map) ? eltype(type) : field.kind in NESTED ? type : nothing
        k = findfirst(isequal((type_text(field), inner)), known)
        k === nothing ? (push!(known, (type_text(field), inner)); push!(found, Any[type])) : push!(found[k], type)
    end
    return found
end

"The field of values of fixed size; `nothing` if `N` is not such a type."
@noinline function plain_field(name::String, @nospecialize(N))
    if N <: Union{Int8,Int16,Int32,Int64,UInt8,UInt16,UInt32,UInt64}
        field = with_bits(Field(name, :int), 8 * sizeof(N))
        field.signed = N <: Signed
    elseif N <: Union{Float16,Float32,Float64}
        field = with_bits(Field(name, :float), 8 * sizeof(N))
    elseif N === Bool
        field = Field(name, :bool)
    elseif N === Date
        field = Field(name, :date)
    elseif N === DateTime
        field = with_unit(Field(name, :timestamp), 1)
    elseif N === Time
        field = with_bits(with_unit(Field(name, :time), 3), 64)
    elseif N in PERIODS
        field = with_unit(Field(name, :duration), findfirst(==(N), PERIODS) - 1)
    elseif N in (Dates.Week, Dates.Day, Dates.Hour, Dates.Minute)
        field = Field(name, :duration)  # in seconds
    elseif N <: Dates.OtherPeriod || N in (Dates.CompoundPeriod, MonthDayNano)
        field = with_unit(Field(name, :interval), 2)
    elseif N === DayTime
        field = with_unit(Field(name, :interval), 1)
    elseif N <: Timestamp && isconcretetype(N)
        field = with_unit(Field(name, :timestamp), findfirst(==(N.parameters[1]), PERIODS) - 1)
        zone = N.parameters[2]
        field.zone = zone === nothing ? nothing : String(zone)
    elseif N <: Decimal && isconcretetype(N)
        field = Field(name, :decimal)
        field.precision, field.scale = N.parameters[1], N.parameters[2]
        field.bits = field.precision > 38 ? 256 : 128
    elseif N === UUID
        field = sized(Field(name, :fixed_binary), 16)
        push!(field.metadata, EXTENSION => "arrow.uuid", "ARROW:extension:metadata" => "")
    elseif N <: NTuple{K,UInt8} where {K} && isconcretetype(N) && fieldcount(N) > 0
        field = sized(Field(name, :fixed_binary), fieldcount(N))
    else
        return nothing
    end
    return field
end

with_unit(field::Field, unit::Int) = (field.unit = unit; field)
with_bits(field::Field, bits::Int) = (field.bits = bits; field)
sized(field::Field, width::Int) = (field.width = width; field)

@noinline function unsupported(kind::String, column::String, @nospecialize(N))
    reason, remedy = if N === Nothing || (N isa Union && Nothing <: N)
        "it holds `nothing`", "Say what is not there with `missing`: replace(column, nothing => missing)."
    elseif N <: Union{Int128,UInt128,BigInt}
        "Arrow has no integers of the type $N", "Convert it: Int64.(column), or Float64.(column)."
    elseif N <: Number && isconcretetype(N)
        "Arrow has no numbers of the type $N", "Convert it: Float64.(column), or share its parts as columns."
    elseif isconcretetype(N)
        "it holds values of the type $N", "Convert them to numbers, text, dates, vectors or named tuples."
    else
        "its values are of several types ($N)", "Convert them to one type, or say which: Vector{Union{Int,String}}(column)."
    end
    throw(UnsupportedSource(kind, reason, remedy, column))
end
