# Types for values that Julia's standard library has no type for, without loss.

"""
    Timestamp{P,Z}

A moment as in Arrow: a whole number of `P` (`Second` to `Nanosecond`) since 1970, in UTC if the column has a time zone `Z`
(a symbol), else (`Z === nothing`) the local time of an unnamed place. `Dates.value(x)` is the number.

`DateTime(x)` rounds down to the millisecond and gives UTC; `convert(DateTime, x)` throws `InexactError` where that
would lose something. Differences are periods of `P`. Julia's standard library has no time zones: the zone is kept and
shown, not applied.

```jldoctest
julia> x = ArrowSHM.Timestamp{Microsecond,Symbol("Europe/Zurich")}(1_357_016_400_000_001)
2013-01-01T05:00:00.000001Z[Europe/Zurich]

julia> DateTime(x), x - (x - Second(1))
(DateTime("2013-01-01T05:00:00"), Microsecond(1000000))

julia> convert(DateTime, x)
ERROR: InexactError: convert(DateTime, 2013-01-01T05:00:00.000001Z[Europe/Zurich])
```
"""
struct Timestamp{P<:Dates.Period,Z}
    value::Int64
end

const EPOCH_MS = Dates.value(Dates.UNIXEPOCH |> Dates.Millisecond)
per_second(::Type{Second}) = 1
per_second(::Type{Millisecond}) = 1_000
per_second(::Type{Microsecond}) = 1_000_000
per_second(::Type{Nanosecond}) = 1_000_000_000
symbol_of(::Type{Second}) = "s"
symbol_of(::Type{Millisecond}) = "ms"
symbol_of(::Type{Microsecond}) = "us"
symbol_of(::Type{Nanosecond}) = "ns"

Dates.value(x::Timestamp) = x.value

"Milliseconds since 1970, rounded down. Throws `OverflowError` if 64 bits cannot hold that many milliseconds."
function milliseconds(x::Timestamp{P}) where {P}
    ratio = per_second(P)
    return ratio <= 1000 ? checked_mul(x.value, 1000 ÷ ratio) : fld(x.value, ratio ÷ 1000)
end

Dates.DateTime(x::Timestamp) = DateTime(Dates.UTM(checked_add(milliseconds(x), EPOCH_MS)))
Dates.Date(x::Timestamp) = Date(DateTime(x))
Base.convert(::Type{DateTime}, x::Timestamp{P}) where {P} =
    per_second(P) <= 1000 || x.value % (per_second(P) ÷ 1000) == 0 ? DateTime(x) : throw(InexactError(:convert, DateTime, x))
Timestamp{P,Z}(x::DateTime) where {P<:Dates.Period,Z} = Timestamp{P,Z}(scaled(P, Dates.value(x) - EPOCH_MS))
scaled(::Type{P}, ms::Int64) where {P} =
    per_second(P) >= 1000 ? checked_mul(ms, per_second(P) ÷ 1000) : Int64(ms // (1000 ÷ per_second(P)))

Base.isless(a::Timestamp{P,Z}, b::Timestamp{P,Z}) where {P,Z} = isless(a.value, b.value)
Base.:-(a::Timestamp{P,Z}, b::Timestamp{P,Z}) where {P,Z} = P(a.value - b.value)
Base.:+(a::Timestamp{P,Z}, b::Dates.Period) where {P,Z} = Timestamp{P,Z}(a.value + Dates.value(convert(P, b)))
Base.:-(a::Timestamp{P,Z}, b::Dates.Period) where {P,Z} = Timestamp{P,Z}(a.value - Dates.value(convert(P, b)))
Base.broadcastable(x::Timestamp) = Ref(x)

function Base.show(io::IO, x::Timestamp{P,Z}) where {P,Z}
    seconds, rest = fldmod(x.value, per_second(P))
    zone = Z === nothing ? "" : Z in (:UTC, Symbol("+00:00")) ? "Z" : "Z[$Z]"
    if abs(seconds) > 100_000_000_000_000  # DateTime counts milliseconds from the year 0
        print(io, x.value, " ", symbol_of(P), " since 1970", zone)
        return
    end
    print(io, DateTime(Dates.UTM(1000 * seconds + EPOCH_MS)))
    per_second(P) == 1 || print(io, ".", lpad(rest, ndigits(per_second(P)) - 1, '0'))
    print(io, zone)
end

"""
    Decimal{P,S}

A decimal number of at most `P` digits, `S` of them after the point, as a whole number of 10^-S (`x.value`). Sums and
differences of one type are exact (or an `OverflowError`); with other exact numbers the result is a `Rational{BigInt}`, with
floats a float. `x.value` is an `Int128`, or a `BigInt` for more than 38 digits.

```jldoctest
julia> x = ArrowSHM.Decimal{9,2}(-1995)
-19.95

julia> x + x, x / 2, x + 0.95, x == -1995 // 100
(-39.90, -399//40, -19.0, true)
```
"""
struct Decimal{P,S,I<:Integer} <: Real
    value::I
end
Decimal{P,S}(value::Integer) where {P,S} = Decimal{P,S,digits_type(P)}(value)
digits_type(P::Int) = P > 38 ? BigInt : Int128

Base.Rational{BigInt}(x::Decimal{P,S}) where {P,S} =
    S >= 0 ? big(x.value) // big(10)^S : big(x.value) * big(10)^-S // 1
Base.convert(::Type{Rational{BigInt}}, x::Decimal) = Rational{BigInt}(x)
# One method per type: a constructor for a union of types makes `using` wait 45 ms longer (Julia 1.5).
Base.Float64(x::Decimal) = Float64(Rational{BigInt}(x))
Base.AbstractFloat(x::Decimal) = Float64(x)
Base.Float32(x::Decimal) = Float32(Rational{BigInt}(x))
Base.BigFloat(x::Decimal) = BigFloat(Rational{BigInt}(x))
Base.Int64(x::Decimal) = Int64(Rational{BigInt}(x))
Base.BigInt(x::Decimal) = BigInt(Rational{BigInt}(x))
Base.promote_rule(::Type{<:Decimal}, ::Type{T}) where {T<:AbstractFloat} = T
Base.promote_rule(::Type{<:Decimal}, ::Type{<:Union{Integer,Rational}}) = Rational{BigInt}
Base.promote_rule(::Type{Decimal{P,S}}, ::Type{Decimal{Q,R}}) where {P,S,Q,R} = Rational{BigInt}
Base.:+(a::D, b::D) where {D<:Decimal} = D(checked_add(a.value, b.value))
Base.:-(a::D, b::D) where {D<:Decimal} = D(checked_sub(a.value, b.value))
Base.:-(a::D) where {D<:Decimal} = D(checked_neg(a.value))
Base.:*(a::Decimal{P,S}, b::Decimal{P,S}) where {P,S} = Rational{BigInt}(a) * Rational{BigInt}(b)
Base.:/(a::Decimal{P,S}, b::Decimal{P,S}) where {P,S} = Rational{BigInt}(a) / Rational{BigInt}(b)
Base.:(==)(a::Decimal{P,S}, b::Decimal{P,S}) where {P,S} = a.value == b.value
Base.isless(a::Decimal{P,S}, b::Decimal{P,S}) where {P,S} = a.value < b.value
Base.:<(a::Decimal{P,S}, b::Decimal{P,S}) where {P,S} = a.value < b.value
Base.:<=(a::Decimal{P,S}, b::Decimal{P,S}) where {P,S} = a.value <= b.value
Base.hash(x::Decimal, seed::UInt) = hash(Rational{BigInt}(x), seed)
Base.zero(::Type{D}) where {D<:Decimal} = D(0)
Base.zero(::D) where {D<:Decimal} = D(0)

function Base.show(io::IO, x::Decimal{P,S}) where {P,S}
    S <= 0 && return print(io, x.value, S == 0 ? "" : "e$(-S)")
    digits = lpad(string(abs(big(x.value))), S + 1, '0')
    print(io, x.value < 0 ? "-" : "", digits[1:end-S], ".", digits[end-S+1:end])
end
