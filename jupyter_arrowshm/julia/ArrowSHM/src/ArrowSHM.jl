"""
Share a table from one notebook or process, attach it in another: zero-copy, in Julia or Python.

```julia
using ArrowSHM
share("trips", (fare = [7.5, 12.0], tip = [1.0, missing]))   # in one process
trips = attach("trips")                                       # in another: the same memory
tables()                                                      # what is shared, and who uses it
```

In a notebook `@share trips`, `@attach trips` and `@detach trips` say in one line what they did.
"""
module ArrowSHM

using Dates
using Random
using SHA: sha256
using Unicode
using Base: UUID
using Dates: Date, DateTime, Time, Month, Second, Millisecond, Microsecond, Nanosecond

export @attach, @detach, @share, SharedTable, attach, share, tables, unshare

const VERSION_OF_CLIENT = "0.1.0"

include("internals.jl")
include("words.jl")
include("errors.jl")
include("columns/Columns.jl")
using .Columns:
    Blobs, Bools, Buffer, Bytes, Chunked, Column, DayTime, Decimal, FixedLists, Halves, Lists, Missings, MonthDayNano,
    Numbers, Origin, Pooled, Raw, Runs, Structs, Tensors, Texts, Timestamp, Unions, Validity, Views, Words, origin_of, per_second

include("store/names.jl")
include("store/system.jl")
include("store/room.jl")
include("store/directory.jl")
include("store/segment.jl")
include("store/mapping.jl")
include("store/process.jl")
include("store/program.jl")
include("store/holders.jl")
include("arrow/flatbuffers.jl")
include("arrow/schema.jl")
include("arrow/arrowfile.jl")
include("arrow/origins.jl")
include("arrow/source.jl")
include("arrow/build.jl")
include("tabular/table.jl")
include("store/listing.jl")
include("store/notes.jl")
include("store/collector.jl")
include("tabular/tabular.jl")
include("tabular/pooled.jl")
include("tabular/inference.jl")
include("tabular/values.jl")
include("tabular/tensors.jl")
include("arrow/writer.jl")
include("store/publication.jl")
include("store/opening.jl")
include("store/store.jl")
include("store/loads.jl")
include("store/files.jl")
include("store/places.jl")
include("notebook/display.jl")
include("notebook/completion.jl")
include("notebook/kernel.jl")
include("notebook/macros.jl")
include("tabular/glue.jl")
include("workload.jl")

# This is one function, and it calls only compiled code: `using` waits for it.
function __init__()
    STARTED_IN[] = pwd()
    call_when_loading(glue_loaded)
    ijulia() === nothing || Base.invokelatest(join_kernel)
    return
end

end
