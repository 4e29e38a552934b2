"Values and columns in shared memory. A module of its own, to be compiled with optimisation: its loops run over rows."
module Columns

using Dates
using Dates: Date, DateTime, Time, Second, Millisecond, Microsecond, Nanosecond

include("columns/types.jl")
include("columns/lazy.jl")
include("columns/reduce.jl")
include("columns/flatten.jl")

end
