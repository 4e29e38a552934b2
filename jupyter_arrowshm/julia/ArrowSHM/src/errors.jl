# The errors, as types with fields: the same as in jupyter_arrowshm/errors.py, with the same texts.

"""
The root of the errors that this package throws. Each has fields, and a text that says what happened and what to do.
"""
abstract type ArrowSHMError <: Exception end

"""
No table has this name. `near` holds up to three names that look like it; `removed_at` (UTC) and `reason` say when and
why one of this name was removed, if it was. `place` is where it was looked for; empty: on this machine.
"""
struct TableNotFound <: ArrowSHMError
    name::String
    near::Vector{String}
    removed_at::Union{Nothing,DateTime}
    reason::String
    place::String
end
TableNotFound(name, near = String[], removed_at = nothing, reason = "") = TableNotFound(name, near, removed_at, reason, "")

"No place is called so: no configured one, and no user of this machine."
struct PlaceNotFound <: ArrowSHMError
    name::String
end

"A place cannot be used, or does not do what was asked for. `reason` says why, `remedy` what to do."
struct PlaceFailed <: ArrowSHMError
    place::String
    reason::String
    remedy::String
end

"Somebody else shared a table under this name, and `replace` was not asked for."
struct TableExists <: ArrowSHMError
    name::String
    publisher::String
    alive::Bool
    published_at::Union{Nothing,DateTime}
end

"A table cannot be called this. `reason` says which rule it breaks."
struct InvalidName <: ArrowSHMError
    name::String
    reason::String
end

"The table does not fit: `needed` and `free` are bytes, `unused` the tables that nobody uses, with their bytes."
struct NoRoom <: ArrowSHMError
    needed::Int
    free::Int
    directory::String
    unused::Vector{Pair{String,Int}}
end

"The directory of tables is not private to this user, or cannot be used. Nothing was read or written."
struct UnsafeDirectory <: ArrowSHMError
    directory::String
    reason::String
    remedy::String
end

"The file behind a table's name is not a whole, uncompressed Arrow IPC file."
struct DamagedTable <: ArrowSHMError
    name::String
    path::String
    reason::String
end

"A newer release of this package wrote the table. `protocol` is the table's, `supported` is ours."
struct NewerProtocol <: ArrowSHMError
    name::String
    protocol::String
    supported::String
end

"Another process kept a lock for longer than `waited` seconds. Trying again is safe."
struct Busy <: ArrowSHMError
    what::String
    waited::Float64
end

"The function that loads a table attaches the same table, and would wait for itself for ever."
struct LoadsItself <: ArrowSHMError
    name::String
end

"What a table is loaded from cannot be read. Nothing was loaded; `what` is the Python package's error, a sentence or two."
struct LoadFailed <: ArrowSHMError
    origin::String
    what::String
end

"Files are read by the Python package, and there is no Python that has it where this process looks."
struct NoPython <: ArrowSHMError end

"Arrow cannot carry this object. `column` is the label at fault, `remedy` code or words that fix it."
struct UnsupportedSource <: ArrowSHMError
    kind::String
    reason::String
    remedy::String
    column::Union{Nothing,String}
end
UnsupportedSource(kind, reason, remedy) = UnsupportedSource(kind, reason, remedy, nothing)

"A value of an attached column says that it lies outside the file. The other values of the column can be read."
struct DamagedColumn <: ArrowSHMError
    reason::String
end

"The operating system refused a call in a way that no other error here describes (EIO, EMFILE, ...)."
struct StoreFailed <: ArrowSHMError
    directory::String
    code::Int
end

"This system has no file locks that live and die with a memory mapping (Windows)."
struct UnsupportedPlatform <: ArrowSHMError
    platform::String
end

function Base.showerror(io::IO, e::TableNotFound)
    print(io, "there is no shared table ", repr(e.name), isempty(e.place) ? ". " : " from $(printable(e.place)). ")
    if e.removed_at !== nothing
        print(io, "It was removed ", words_age(e.removed_at), ": ", e.reason, ". Share it again.")
    elseif isempty(e.near)
        print(io, isempty(e.place) ? "tables() lists" : "tables(from=$(repr(e.place))) lists", " what is shared.")
    else
        print(io, "Did you mean ", join(map(repr, e.near), " or "), "?")
    end
end

function Base.showerror(io::IO, e::PlaceNotFound)
    print(io, "there is no place ", repr(e.name), ", and no user of this name. A place is everyone, group:NAME, a user,")
    print(io, " a path or URI, or a name that c.ArrowSHM.places gives to one.")
end

Base.showerror(io::IO, e::PlaceFailed) = print(io, printable(e.place), " ", e.reason, isempty(e.remedy) ? "." : ". $(e.remedy)")

function Base.showerror(io::IO, e::TableExists)
    print(io, repr(e.name), " was shared by ", e.publisher)
    e.published_at === nothing || print(io, " ", words_age(e.published_at))
    e.alive || print(io, ", which has ended")
    print(io, ". Pick another name, or take it over with replace=true.")
end

function Base.showerror(io::IO, e::InvalidName)
    shown = length(e.name) <= 60 ? e.name : first(e.name, 57) * "..."
    print(io, repr(shown), " cannot be a table's name: ", e.reason, ".")
end

function Base.showerror(io::IO, e::NoRoom)
    print(io, "this table needs ", words_size(e.needed), ", but only ", words_size(e.free), " is free in ", e.directory, ".")
    if !isempty(e.unused)
        shown = join(["$name ($(words_size(nbytes)))" for (name, nbytes) in Iterators.take(e.unused, 5)], ", ")
        more = length(e.unused) > 5 ? " and $(length(e.unused) - 5) more" : ""
        print(io, " Nobody uses ", shown, more, ": unshare(", repr(first(first(e.unused))), ") removes one, ArrowSHM.gc() all.")
    end
    print(
        io,
        " More room: docker run --shm-size, an emptyDir with medium Memory in Kubernetes,",
        " or \$JUPYTER_ARROWSHM_DIR on a larger disk.",
    )
end

Base.showerror(io::IO, e::UnsafeDirectory) = print(io, e.directory, " ", e.reason, ". ", uppercasefirst(e.remedy), ".")

function Base.showerror(io::IO, e::DamagedTable)
    name = repr(e.name)
    print(io, name, " cannot be read: ", e.reason, ". Share it again, or remove it with unshare(", name, ").")
end

function Base.showerror(io::IO, e::NewerProtocol)
    print(
        io,
        repr(e.name), " was shared by a newer jupyter-arrowshm: it has protocol ", e.protocol,
        ", and this one knows ", e.supported, ". To upgrade: pip install --upgrade jupyter-arrowshm.",
    )
end

function Base.showerror(io::IO, e::Busy)
    waited = isinteger(e.waited) ? Int(e.waited) : e.waited
    print(io, e.what, " was busy for ", waited, " s: another process, perhaps a stopped one, uses it. Try again.")
end

function Base.showerror(io::IO, e::LoadsItself)
    print(io, repr(e.name), " is being loaded by the very code that asks for it. ")
    print(io, "Read the data in that code, and attach the table outside of it.")
end

Base.showerror(io::IO, e::LoadFailed) = print(io, isempty(e.what) ? "$(e.origin) cannot be loaded." : printable(e.what))

Base.showerror(io::IO, ::NoPython) = print(
    io, "files are read and written by the Python package jupyter-arrowshm, and no Python with it was found. Install it",
    " (pip install jupyter-arrowshm), and start Julia where the command `jupyter arrowshm` works.",
)

function Base.showerror(io::IO, e::UnsupportedSource)
    subject = e.column === nothing ? "this $(e.kind)" : "column $(repr(e.column)) of this $(e.kind)"
    print(io, subject, " cannot be shared: ", e.reason, ". ", e.remedy)
end

Base.showerror(io::IO, e::DamagedColumn) = print(io, "this column is damaged: ", e.reason, ". Share its table again.")

function Base.showerror(io::IO, e::StoreFailed)
    print(io, "the directory of shared tables, ", e.directory, ", failed: ", Libc.strerror(e.code), ".")
    if e.code in (Libc.EMFILE, Libc.ENFILE)
        print(io, " Raise the limit on open files (ulimit -n), or drop attached tables.")
    else
        print(io, " `dmesg` and the disk's health may tell more.")
    end
end

function Base.showerror(io::IO, e::UnsupportedPlatform)
    print(io, "sharing tables works on Linux, WSL 2 and macOS; ", e.platform, " lacks the file locks it needs.")
end

"An error that a macro reports: one line in the notebook, no trace of our own functions."
struct Brief <: Exception
    error::ArrowSHMError
end
Base.showerror(io::IO, e::Brief) = showerror(io, e.error)
Base.showerror(io::IO, e::Brief, trace; backtrace = true) = showerror(io, e.error)

const READ_ONLY = "a column of a shared table is read-only. Copy it, as in `fare = copy(trips.fare)`, and write into the copy."

# Where a column is a plain `Vector`, the processor refuses the write, and Base only says `ReadOnlyMemoryError()`: it has no
# hints for this type. A vector type of our own with a better message would cost each loop more than this method does.
Base.showerror(io::IO, ::ReadOnlyMemoryError) = print(io, "ReadOnlyMemoryError: this memory cannot be written to: ", READ_ONLY)
