# The system calls that the protocol uses, each as in open(2), flock(2), linkat(2), ..., with typed errors.

# The numbers differ between processors: asm-generic/fcntl.h, and its overrides for arm64.
@static if Sys.isapple()
    const O_CREAT, O_EXCL, O_NONBLOCK, O_TRUNC = 0x0200, 0x0800, 0x0004, 0x0400
    const O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_TMPFILE = 0x100000, 0x0100, 0x1000000, 0
    const AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW = -2, 0x40, 0x20
    const O_NOATIME, UTIME_NOW, UTIME_OMIT = 0, -1, -2
else
    const O_CREAT, O_EXCL, O_NONBLOCK, O_CLOEXEC, O_TRUNC = 0o100, 0o200, 0o4000, 0o2000000, 0o1000
    const O_DIRECTORY, O_NOFOLLOW = Sys.ARCH in (:aarch64, :arm) ? (0o40000, 0o100000) : (0o200000, 0o400000)
    const O_TMPFILE = 0o20000000 | O_DIRECTORY
    const AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW = -100, 0x400, 0x100
    const O_NOATIME, UTIME_NOW, UTIME_OMIT = 0o1000000, (1 << 30) - 1, (1 << 30) - 2
end
const O_RDONLY, O_WRONLY, O_RDWR = 0, 1, 2
const LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8
const F_OK = 0

const GUARD = ReentrantLock()

"""
Call `f` while no other task is in here. It guards what tasks share: the token, footers that were read, and columns. It is
short and waits for nothing, and an interrupt waits for it: an interrupt between the lock and its `try` would leave the lock
held and, in newer releases, hold back finalizers for good, also those of leases.
"""
guarded(@nospecialize(f)) = disable_sigint(() -> lock(f, GUARD))

"A file descriptor that is closed with its owner, at the latest when the owner is collected."
mutable struct Descriptor
    fd::Cint
    function Descriptor(fd::Integer)
        made = new(fd)
        finalizer(close, made)
        return made
    end
end

function Base.close(descriptor::Descriptor)
    fd, descriptor.fd = descriptor.fd, Cint(-1)
    fd >= 0 && ccall(:close, Cint, (Cint,), fd)
    return nothing
end

"Call `f` with the descriptor's number, and close it in any case."
@noinline function closing(@nospecialize(f), descriptor::Descriptor)
    try
        return f(descriptor.fd)
    finally
        close(descriptor)
    end
end

@noinline failed(call::String) = throw(SystemError(call, Libc.errno()))

"""
The operating system's error number, from any of Base's errors: `SystemError`, `IOError` (libuv's codes are those numbers
negated, its own are below -1000), or `EOFError` for a file that ends too early; `nothing` for any other error. Which
function throws which differs between releases of Julia (docs/julia-versions.md).
"""
error_number(error::SystemError) = Int(error.errnum)
error_number(error::IOError) = -1000 < error.code < 0 ? -Int(error.code) : Int(Libc.EIO)
error_number(::EOFError) = Int(Libc.EIO)
error_number(_) = nothing

"Repeat a system call that a signal interrupted; throw `SystemError` if it fails."
macro system(call)
    name = String(call.args[1].value)
    quote
        local result = -1
        while true
            result = $(esc(Expr(:call, :ccall, call.args...)))
            result == -1 && Libc.errno() == Libc.EINTR && continue
            result == -1 && failed($name)
            break
        end
        result
    end
end

@noinline function open_at(directory::Integer, name::AbstractString, flags::Integer, mode::Integer = 0)
    # A child that run() starts must not keep what a descriptor keeps: a lock, a table's memory.
    flags |= O_CLOEXEC
    return Descriptor(@system (:openat, Cint, (Cint, Cstring, Cint, Cuint...), directory, name, flags, mode))
end

"Like [`open_at`](@ref), but `nothing` where the error is one of `errors`."
@noinline function try_open_at(directory, name, flags, errors::Tuple)
    try
        return open_at(directory, name, flags)
    catch error
        error_number(error) in errors && return nothing
        rethrow()
    end
end

make_directory(path::AbstractString) = forgiving(Libc.EEXIST) do
    @system (:mkdir, Cint, (Cstring, Cuint), path, 0o700)
end
make_directory_at(directory, name) = forgiving(Libc.EEXIST) do
    @system (:mkdirat, Cint, (Cint, Cstring, Cuint), directory, name, 0o700)
end
unlink_at(directory, name) = forgiving(Libc.ENOENT) do
    @system (:unlinkat, Cint, (Cint, Cstring, Cint), directory, name, 0)
end
rename_at(directory, from, to) =
    @system (:renameat, Cint, (Cint, Cstring, Cint, Cstring), directory, from, directory, to)
# linkat(2), EXAMPLES: how an O_TMPFILE file gets a name without CAP_DAC_READ_SEARCH.
link_descriptor_at(fd, directory, name) = @system (
    :linkat, Cint, (Cint, Cstring, Cint, Cstring, Cint), AT_FDCWD, "/proc/self/fd/$fd", directory, name, AT_SYMLINK_FOLLOW,
)
change_mode(fd, mode) = @system (:fchmod, Cint, (Cint, Cuint), fd, mode)
change_group(fd, group) = @system (:fchown, Cint, (Cint, Cuint, Cuint), fd, typemax(Cuint), group)
"Set a file's times of access and of modification, each as seconds and nanoseconds."
@noinline function set_times(fd::Integer, accessed::NTuple{2,Int}, changed::NTuple{2,Int})
    return @system (:futimens, Cint, (Cint, Ptr{Clong}), fd, Clong[accessed..., changed...])
end
effective_user() = Int(ccall(:geteuid, Cuint, ()))

"Do a call that may fail with this error; return whether it succeeded."
@noinline function forgiving(@nospecialize(f), code::Integer)
    try
        f()
        return true
    catch error
        error_number(error) == code || rethrow()
        return false
    end
end

# An error is not an answer: a pin that cannot be looked for is not a missing pin.
exists_at(directory, name) = forgiving(Libc.ENOENT) do
    @system (:faccessat, Cint, (Cint, Cstring, Cint, Cint), directory, name, F_OK, AT_SYMLINK_NOFOLLOW)
end

"What fstat(2) or lstat(2) says about a file, as far as it is used here; `changed` is its mtime, in ns."
struct Facts
    device::UInt64
    inode::UInt64
    mode::UInt64
    nlink::Int
    uid::Int
    gid::Int
    size::Int
    changed::Int
end
# The order is that of libuv's `uv_stat_t`.
Facts(n::Vector{UInt64}) = Facts(n[1], n[7], n[2], n[3], n[4], n[5], n[8], 1_000_000_000 * Int(n[15]) + Int(n[16]))
kind_of(found::Facts) = found.mode & 0o170000
Base.isfile(found::Facts) = kind_of(found) == 0o100000
Base.isdir(found::Facts) = kind_of(found) == 0o040000
Base.islink(found::Facts) = kind_of(found) == 0o120000

"[`Facts`](@ref) about an open file."
function facts_of(fd::Integer)
    numbers, code = raw_status(RawFD(fd))
    code == 0 || throw(SystemError("fstat", -code))
    return Facts(numbers)
end

"[`Facts`](@ref) about what has this path, or `nothing` if nothing has."
function facts_at(path::String)
    numbers, code = raw_status(path)
    -code in (Libc.ENOENT, Libc.ENOTDIR) && return nothing
    code == 0 || throw(SystemError("lstat", -code))
    return Facts(numbers)
end

"The names in an open directory, by its descriptor; none if it is gone."
@noinline function list_directory(directory::Integer)
    try
        return readdir("/proc/self/fd/$directory")
    catch error
        error_number(error) == Libc.ENOENT && return String[]
        rethrow()
    end
end

"`flock(fd, operation | LOCK_NB)`: whether the lock was granted at once."
function try_lock(fd::Integer, operation::Integer)
    while ccall(:flock, Cint, (Cint, Cint), fd, operation | LOCK_NB) == -1
        Libc.errno() == Libc.EAGAIN && return false
        Libc.errno() == Libc.EINTR || failed("flock")
    end
    return true
end

"Release the lock explicitly: closing alone would leave it to a child that was forked meanwhile (flock(2), NOTES)."
unlock_file(fd::Integer) = @system (:flock, Cint, (Cint, Cint), fd, LOCK_UN)

"""
Call `attempt` until it is true or `timeout` seconds are over, with growing pauses up to 5 ms. An interrupt is let in during
the pauses: this is only called inside [`explaining`](@ref).
"""
@noinline function wait_for(@nospecialize(attempt), timeout::Real)
    deadline, pause = time_ns() + round(UInt64, 1e9 * min(timeout, 1e9)), 0.001
    while !(attempt()::Bool)
        time_ns() >= deadline && return false
        reenable_sigint(() -> sleep(pause))
        pause = min(2 * pause, 0.005)
    end
    return true
end

const WRITE_BYTES = 16 << 20  # per write(2): an interrupt waits for one at most

"""
Write all of it: a short write is legal (write(2)). It does not use a mapping: there a full directory is a SIGBUS. An
interrupt is let in between two pieces: this is only called inside [`explaining`](@ref).
"""
@noinline function write_all(fd::Integer, data::Ptr{UInt8}, nbytes::Integer)
    done = 0
    while done < nbytes
        done += @system (:write, Cssize_t, (Cint, Ptr{UInt8}, Csize_t), fd, data + done, min(nbytes - done, WRITE_BYTES))
        reenable_sigint(() -> nothing)
    end
end
write_all(fd::Integer, data::Vector{UInt8}) = GC.@preserve data write_all(fd, pointer(data), length(data))

"Up to `nbytes` from `offset` on, by pread(2): a file that shrinks meanwhile gives a short answer, not a SIGBUS."
@noinline function read_at(fd::Integer, offset::Integer, nbytes::Integer)
    data, done = Vector{UInt8}(undef, nbytes), 0
    GC.@preserve data while done < nbytes
        got = @system (
            :pread, Cssize_t, (Cint, Ptr{UInt8}, Csize_t, Int64), fd, pointer(data) + done, nbytes - done, offset + done,
        )
        got == 0 && break
        done += got
    end
    return resize!(data, done)
end

"""
Everything that read(2) gives until the end. A file of /proc answers with a page or less at a time, and Base's
`read(path, String)` takes the first short answer for the end of the file (since Julia 1.6).
"""
@noinline function read_all(fd::Integer)
    data, done = Vector{UInt8}(undef, 1 << 12), 0
    while true
        got = GC.@preserve data @system (:read, Cssize_t, (Cint, Ptr{UInt8}, Csize_t), fd, pointer(data) + done, length(data) - done)
        got == 0 && return resize!(data, done)
        done += got
        done == length(data) && resize!(data, 2 * done)
    end
end

"A small file of /proc or /sys, or `nothing` where it cannot be read."
@noinline function read_text(path::AbstractString)
    try
        return String(closing(read_all, open_at(AT_FDCWD, path, O_RDONLY)))
    catch error
        error_number(error) === nothing && rethrow()
        return nothing
    end
end

random_hex(nbytes::Integer) = bytes2hex(rand(Random.RandomDevice(), UInt8, nbytes))
