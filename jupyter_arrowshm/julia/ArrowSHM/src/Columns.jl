"Values and columns in shared memory. A module of its own, to be compiled with optimisation: its loops run over rows."
module Columns

using Base: UUID
using Dates
using Dates: Date, DateTime, Time, Month, Second, Millisecond, Microsecond, Nanosecond

using ..ArrowSHM: DamagedColumn

include("columns/types.jl")
include("columns/intervals.jl")
include("columns/decode.jl")
include("columns/lazy.jl")
include("columns/nested.jl")
include("columns/reduce.jl")
include("columns/glance.jl")
include("columns/flatten.jl")

end
