# Values of fixed size: their form in memory, and the form that people see.

"A number of `P` in an `I`: the form in which Arrow stores a time or a span."
struct Raw{P,I}
    value::I
end
"A number of 256 bits as it is in memory: the lowest word first, the highest with the sign."
const Words = NTuple{4,UInt64}
"The 16 bytes of a UUID, in the order in which it is written."
const Halves = NTuple{2,UInt64}

@inline decode(::Type{N}, x::N) where {N} = x
@inline decode(::Type{Date}, days::Int32) = Date(Dates.UTD(days + Int64(719163)))  # 1970-01-01 is day 719163
@inline function decode(::Type{Date}, x::Raw{Millisecond})
    days, rest = fldmod(x.value, 86_400_000)
    rest == 0 || throw(InexactError(:Date, Date, x.value))  # the specification allows whole days only
    return Date(Dates.UTD(days + 719163))
end
@inline decode(::Type{DateTime}, x::Timestamp) = DateTime(x)
@inline function decode(::Type{Time}, x::Raw{P}) where {P}
    0 <= x.value < 86_400 * per_second(P) || out_of_day(x.value, P)
    return Time(Nanosecond(Int64(x.value) * (1_000_000_000 ÷ per_second(P))))
end
@noinline out_of_day(value, P) = throw(DamagedColumn("$value $(symbol_of(P)) is not a time of a day"))
@inline decode(::Type{Month}, x::Raw{Month}) = Month(x.value)
@inline decode(::Type{D}, x::Union{Int32,Int64}) where {D<:Decimal} = D(x)
@inline decode(::Type{Decimal{P,S,I}}, x::Words) where {P,S,I} = Decimal{P,S,I}(I(number(x)))
number(x::Words) = (big(x[4] % Int64) << 192) | (big(x[3]) << 128) | (big(x[2]) << 64) | x[1]
@inline decode(::Type{UUID}, x::Halves) = UUID(UInt128(ntoh(x[1])) << 64 | ntoh(x[2]))

# The way back, for sharing.
encode(::Type{S}, x::S) where {S} = x
encode(::Type{Second}, x::Dates.Period) = convert(Second, x)
encode(::Type{MonthDayNano}, x::Union{Dates.Period,Dates.CompoundPeriod}) = MonthDayNano(x)
encode(::Type{Int32}, x::Date) = Int32(Dates.value(x) - 719163)
encode(::Type{Raw{Millisecond,Int64}}, x::Date) = Raw{Millisecond,Int64}(86_400_000 * (Dates.value(x) - 719163))
encode(::Type{Timestamp{P,Z}}, x::DateTime) where {P,Z} = Timestamp{P,Z}(x)
encode(::Type{Raw{P,I}}, x::Time) where {P,I} =
    Raw{P,I}(I(divide(Dates.value(x), 1_000_000_000 ÷ per_second(P))))
encode(::Type{Raw{Month,Int32}}, x::Month) = Raw{Month,Int32}(Int32(Dates.value(x)))
encode(::Type{I}, x::Decimal) where {I<:Union{Int32,Int64}} = I(x.value)
encode(::Type{Words}, x::Decimal) = ntuple(k -> (big(x.value) >> (64 * (k - 1))) % UInt64, 4)
encode(::Type{Halves}, x::UUID) = (hton((x.value >> 64) % UInt64), hton(x.value % UInt64))
function divide(x::Int64, by::Int64)
    whole, rest = divrem(x, by)
    rest == 0 || throw(InexactError(:share, Int64, x))
    return whole
end
