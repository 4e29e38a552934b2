# Everything that this package uses of Julia and IJulia beyond their public API, in one place: other files use these
# definitions. Each entry says which releases have it (looked up from 1.5 to 1.13), and what happens without it. A test checks
# that no other file names such a thing; docs/julia-versions.md has the table.

"1.5 to 1.13, \"experimental\" in all of them. Without it: as fast to run, slower to compile."
macro optlevel(level::Int)
    return isdefined(Base.Experimental, Symbol("@optlevel")) ? :(Base.Experimental.@optlevel $level) : nothing
end
# Everything except the columns' own loops runs once per table: compiling it fast is worth more than running it fast.
@optlevel 0

"1.0 to 1.13. Files and directories throw it; which functions throw it, and which `SystemError`, differs by release."
const IOError = Base.IOError

"1.0 to 1.13: the type that `skipmissing` returns. Without it: nothing works."
const SkipMissing = Base.SkipMissing

"1.0 to 1.13: the function that `sum` reduces with. Without it: sums of booleans go row by row, with the same results."
const add_sum = isdefined(Base, :add_sum) ? Base.add_sum : +

"1.0 to 1.13: the types of a union, in Julia's own order. Without it: nothing works."
const union_types = Base.uniontypes

"1.0 to 1.13: the number of a letter's general category, as in utf8proc. Without it: nothing works."
category(char::Char) = Base.Unicode.category_code(char)

"1.0 to 1.13: the type that identifies a package. Without it: nothing works."
const PkgId = Base.PkgId

"1.0 to 1.13: a package that this session has loaded, or `nothing`. Without it: Tables.jl only by its extension, no pools."
loaded(package::PkgId) = isdefined(Base, :loaded_modules) ? get(Base.loaded_modules, package, nothing) : nothing

"1.0 to 1.13: call `f` with each package that is loaded from now on. Without it: Tables.jl only by its extension."
call_when_loading(f) = isdefined(Base, :package_callbacks) && push!(Base.package_callbacks, f)

"Public since 1.11, exists since 1.9. Without it there are no extensions, and the glue takes their place."
has_extension(name::Symbol) =
    isdefined(Base, :get_extension) && Base.get_extension(@__MODULE__, name) !== nothing

"""
1.0 to 1.13: what fstat(2) or lstat(2) says, as the numbers of libuv's `uv_stat_t`, or the error's code of libuv. Base's own
`stat` cuts the numbers of a file and of its device to 32 bits, in every release: on file systems that have larger ones
(XFS, CephFS) it takes two files for one, and no lock would be found. No `isdefined` for C functions: without it nothing works.
"""
function raw_status(file::Union{RawFD,String})
    numbers = zeros(UInt64, cld(ccall(:jl_sizeof_stat, Int32, ()), 8))
    code = file isa RawFD ? ccall(:jl_fstat, Int32, (RawFD, Ptr{UInt64}), file, numbers) :
        ccall(:jl_lstat, Int32, (Cstring, Ptr{UInt64}), file, numbers)
    return numbers, Int(code)
end

"1.0 to 1.13: whether this process writes a package's cache. No `isdefined` for a C function: without it nothing works."
is_precompiling() = ccall(:jl_generating_output, Cint, ()) == 1

"""
Since 1.12: call `f()` so that the package's cache keeps what is compiled in it, including methods of others that it calls;
PrecompileTools.jl does the same. Before, and without it: only our own methods, and those of others that they need.
"""
function caching_all(f)
    @static VERSION >= v"1.12" && ccall(:jl_tag_newly_inferred_enable, Cvoid, ())
    try
        f()
    finally
        @static VERSION >= v"1.12" && ccall(:jl_tag_newly_inferred_disable, Cvoid, ())
    end
    return
end

"""
The object that keeps an array's memory: the array itself; since 1.11 the `Memory` in it, which outlives the array where
another array has it, too (Mmap's finalizers are attached to the same). Fields of `Array` and `MemoryRef` of 1.11 and 1.12.
"""
owner_of(values::Array) = isdefined(values, :ref) ? getfield(getfield(values, :ref), :mem) : values

"1.0 to 1.13: a `BitVector` on existing words of 64 bits. Its fields are not public."
function bits_of_words(words::Vector{UInt64}, length::Int)
    bits = BitVector(undef, 0)
    bits.chunks, bits.len = words, length
    return bits
end

"""
Where the REPL keeps `ans` and `err`: `Base.MainInclude` since 1.9, before that `Main`. Never both: since 1.12 an assignment in
`Main` makes a variable there, which hides the REPL's `ans` from then on. Without it: `@detach` does not clear them.
"""
home_of_answer() = isdefined(Base, :MainInclude) && isdefined(Base.MainInclude, :ans) ? Base.MainInclude : Main

# IJulia, looked up in 1.21 (for Julia 1.5), 1.23, 1.26, 1.29, 1.30 and 1.34. It is not a dependency: it is there if it
# started this process.

"IJulia if this process is its kernel, else `nothing`. `inited` is documented; without it: a process like any other."
ijulia() = isdefined(Main, :IJulia) && isdefined(Main.IJulia, :inited) && Main.IJulia.inited === true ? Main.IJulia : nothing

"Call `f` after each cell. `push_postexecute_hook` is documented; without it: Julia decides when tables are let go of."
function call_after_cells(f::Function)
    home = ijulia()
    home === nothing || !isdefined(home, :push_postexecute_hook) || home.push_postexecute_hook(f)
    return
end

"""
Make `f(ijulia, theirs, arguments...)` answer requests for completions; it calls `theirs(arguments...)` for those it leaves to
IJulia. All releases have `handlers`, a `Dict`, and functions that make the answer; without them Tab is Julia's own.
"""
function call_for_completions(f::Function)
    home = ijulia()
    home === nothing && return
    all(name -> isdefined(home, name), (:handlers, :send_ipython, :msg_reply, :chr2ind, :ind2chr)) || return
    theirs = get(home.handlers, "complete_request", nothing)
    theirs === nothing || (home.handlers["complete_request"] = (arguments...) -> f(home, theirs, arguments...))
    return
end

"The kernel object, since 1.30. `Out` and `ans` are fields of it, too."
kernel_of(home::Module) = isdefined(home, :_default_kernel) ? home._default_kernel : nothing

"""
The dictionaries that keep the values of earlier cells. `Out` is documented; the kernel's is the same one, except in 1.30,
where there are two. Without them: `@detach` says that the table is still attached.
"""
function outputs()
    found, home = Any[], ijulia()
    home === nothing && return found
    isdefined(home, :Out) && push!(found, home.Out)
    kernel = kernel_of(home)
    kernel !== nothing && hasproperty(kernel, :Out) && push!(found, kernel.Out)
    return found
end

"""
Forget the values of earlier cells for which `keeps` is true. `ans` is documented; assigning to the kernel's field sets the
variable, but assigning to the variable does not set the field.
"""
function forget_outputs(keeps)
    foreach(values -> filter!(entry -> !keeps(entry.second), values), outputs())
    home = ijulia()
    home !== nothing && isdefined(home, :ans) && keeps(home.ans) || return
    kernel = kernel_of(home)
    kernel === nothing ? Core.eval(home, :(ans = nothing)) : (kernel.ans = nothing)
    return
end
