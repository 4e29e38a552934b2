# Spans that mix units which do not convert into each other: a month is not a number of days, nor a day a number of hours.

"""
    MonthDayNano(months, days, nanoseconds)

A calendar interval: a value of Arrow's `month_day_nano_interval`. `Dates.CompoundPeriod(x)` is the same as periods, which
are added to dates one by one.

```jldoctest
julia> x = ArrowSHM.MonthDayNano(14, -3, 1_500_000_000)
14 months, -3 days, 1500000000 nanoseconds

julia> Date(2024, 1, 31) + Dates.CompoundPeriod(Month(x.months), Day(x.days))
2025-03-28
```
"""
struct MonthDayNano
    months::Int32
    days::Int32
    nanoseconds::Int64
end

"""
    DayTime(days, milliseconds)

A calendar interval: a value of Arrow's `day_time_interval`. `Dates.CompoundPeriod(x)` is the same as periods.
"""
struct DayTime
    days::Int32
    milliseconds::Int32
end

# Each part is added by itself: the sum of all would carry days into months.
parts(x::MonthDayNano) = (Month(x.months), Dates.Day(x.days), Nanosecond(x.nanoseconds))
parts(x::DayTime) = (Dates.Day(x.days), Millisecond(x.milliseconds))
const Interval = Union{MonthDayNano,DayTime}

Dates.CompoundPeriod(x::Interval) = Dates.CompoundPeriod(collect(Dates.Period, parts(x)))
Base.convert(::Type{Dates.CompoundPeriod}, x::Interval) = Dates.CompoundPeriod(x)
Base.:+(x::Dates.TimeType, y::Interval) = foldl(+, parts(y); init = x)
Base.broadcastable(x::Interval) = Ref(x)

"Periods by their kind. Throws `InexactError` where the fields are too narrow."
function MonthDayNano(x::Dates.CompoundPeriod)
    months, days, nanoseconds = 0, 0, 0
    for period in x.periods
        if period isa Dates.OtherPeriod  # years and months; since Julia 1.6 also quarters
            months += Dates.value(convert(Month, period))
        elseif period isa Union{Dates.Week,Dates.Day}
            days += Dates.value(period) * (period isa Dates.Week ? 7 : 1)
        else
            nanoseconds += checked_mul(Dates.value(period), Dates.value(convert(Nanosecond, oneunit(period))))
        end
    end
    return MonthDayNano(months, days, nanoseconds)
end
MonthDayNano(x::Dates.Period) = MonthDayNano(Dates.CompoundPeriod(x))

function Base.show(io::IO, x::Interval)
    shown = [string(part) for part in parts(x) if Dates.value(part) != 0]
    print(io, isempty(shown) ? "0 days" : join(shown, ", "))
end
