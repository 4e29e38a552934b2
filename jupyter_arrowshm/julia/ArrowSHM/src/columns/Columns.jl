"Values and columns in shared memory. A module of its own, to be compiled with optimisation: its loops run over rows."
module Columns

using Base: UUID
using Dates
using Dates: Date, DateTime, Time, Month, Second, Millisecond, Microsecond, Nanosecond

using ..ArrowSHM: DamagedColumn

include("types.jl")
include("intervals.jl")
include("decode.jl")
include("lazy.jl")
include("nested.jl")
include("reduce.jl")
include("glance.jl")
include("flatten.jl")

end
