"Values and columns in shared memory. It is a module of its own, compiled with optimisation: its loops run over rows."
module Columns

using Base: UUID
using Dates
using Dates: Date, DateTime, Time, Month, Second, Millisecond, Microsecond, Nanosecond

using Base.Checked: checked_add, checked_mul, checked_neg, checked_sub

using ..ArrowSHM: DamagedColumn, READ_ONLY, SkipMissing, @optlevel, add_sum

# Set here because a module otherwise has its parent's level.
@optlevel 2

# The letters of the type parameters, the same everywhere:
#
#   T   a column's elements, with `Missing` where values are missing     O   the integer type of offsets
#   N   the same without `Missing`, as people see them                   I   any other integers: indices, run ends, digits
#   S   a value as it lies in memory                                     V   the validity: `Validity`, or `Nothing` if all are there
#   C   the column beneath: values, parts, a pool, a chunk               L   sizes of lists or places of a union, or `Nothing`
#   F   a function, or a field's type                                    K   the names of a union's parts, or `Nothing`
#   E   the elements of a list or tuple                                  R   the result of a function
#
# Three value types have parameters that people write: `Timestamp{P,Z}`, its period and time zone; `Decimal{P,S,I}`, its
# precision and scale, as in SQL; and `Raw{P,I}`, a number of periods.

include("types.jl")
include("intervals.jl")
include("decode.jl")
include("lazy.jl")
include("nested.jl")
include("reduce.jl")
include("glance.jl")
include("flatten.jl")

end
