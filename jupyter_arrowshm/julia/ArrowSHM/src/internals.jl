# All that this package uses of Julia and IJulia beyond their public API, in one place: other files use what is defined here.
# Each entry says which releases have it (looked up from 1.5 to 1.12), and what happens where one lacks it. A test holds that no
# other file names such a thing; docs/julia-versions.md has the table.

# Everything but the columns' own loops runs once per table: compiling it fast is worth more than running it fast.
# 1.5 to 1.12, "experimental" in all of them. Without it: as fast to run, slower to compile.
@static isdefined(Base.Experimental, Symbol("@optlevel")) && @eval Base.Experimental.@optlevel 0

"1.0 to 1.12. What files and directories throw; which functions throw it, and which `SystemError`, differs by release."
const IOError = Base.IOError

"1.0 to 1.12: the type of what `skipmissing` gives. Without it: nothing works."
const SkipMissing = Base.SkipMissing

"1.0 to 1.12: the function that `sum` reduces with. Without it: sums of booleans go row by row, and are as right."
const add_sum = isdefined(Base, :add_sum) ? Base.add_sum : +

"1.0 to 1.12: which types a union is made of, in an order of Julia's own. Without it: nothing works."
const union_types = Base.uniontypes

"1.0 to 1.12: the number of a letter's general category, as utf8proc has them. Without it: nothing works."
category(char::Char) = Base.Unicode.category_code(char)

"1.0 to 1.12: the type of what identifies a package. Without it: nothing works."
const PkgId = Base.PkgId

"1.0 to 1.12: a package that this session has loaded, or `nothing`. Without it: Tables.jl by its extension alone, no pools."
loaded(package::PkgId) = isdefined(Base, :loaded_modules) ? get(Base.loaded_modules, package, nothing) : nothing

"1.0 to 1.12: call `f` with each package that is loaded from now on. Without it: Tables.jl by its extension alone."
call_when_loading(f) = isdefined(Base, :package_callbacks) && push!(Base.package_callbacks, f)

"Public since 1.11, there since 1.9. Without it there are no extensions, and the glue takes their place."
has_extension(name::Symbol) =
    isdefined(Base, :get_extension) && Base.get_extension(@__MODULE__, name) !== nothing

"1.0 to 1.12: whether this process writes a package's cache. No `isdefined` for a C function: without it nothing works."
is_precompiling() = ccall(:jl_generating_output, Cint, ()) == 1

"""
The object that an array's memory lives as long as: the array itself, since 1.11 the `Memory` in it, which outlives it where
another array has it too (Mmap's finalizers hang on the same). Fields of `Array` and `MemoryRef` of 1.11 and 1.12.
"""
owner_of(values::Array) = isdefined(values, :ref) ? getfield(getfield(values, :ref), :mem) : values

"1.0 to 1.12: a `BitVector` on words of 64 bits that are there already. Its fields are not public."
function bits_of_words(words::Vector{UInt64}, length::Int)
    bits = BitVector(undef, 0)
    bits.chunks, bits.len = words, length
    return bits
end

"Where the REPL keeps `ans`: `Main` before 1.9, `Base.MainInclude` since. Without it: `@detach` does not clear `ans`."
homes_of_answer() = isdefined(Base, :MainInclude) ? (Main, Base.MainInclude) : (Main,)

# IJulia, looked up from 1.21 (for Julia 1.5) to 1.34. It is not a dependency: it is there where it started this process.

"IJulia where this process is its kernel, else `nothing`. `inited` is documented; without it: a process like any other."
ijulia() = isdefined(Main, :IJulia) && isdefined(Main.IJulia, :inited) && Main.IJulia.inited === true ? Main.IJulia : nothing

"Call `f` after each cell. `push_postexecute_hook` is documented; without it: tables are let go of when Julia sees fit."
function call_after_cells(f::Function)
    home = ijulia()
    home === nothing || !isdefined(home, :push_postexecute_hook) || home.push_postexecute_hook(f)
    return
end

"""
Forget the values of earlier cells that `keeps` is true for. `Out` and `ans` are documented; without them: `@detach` says that
the table is still attached. `_default_kernel`, since 1.30, is not: `ans` is a field of it, and assigning to that sets the
variable, but not the other way.
"""
function forget_outputs(keeps)
    home = ijulia()
    home === nothing && return
    isdefined(home, :Out) && filter!(entry -> !keeps(entry.second), home.Out)
    isdefined(home, :ans) && keeps(home.ans) || return
    kernel = isdefined(home, :_default_kernel) ? home._default_kernel : nothing
    kernel === nothing ? Core.eval(home, :(ans = nothing)) : (kernel.ans = nothing)
    return
end
