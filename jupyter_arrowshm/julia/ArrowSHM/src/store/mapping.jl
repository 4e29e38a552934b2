# Mappings of a table's file: each is a lease, for as long as anything refers to its array. Julia's Mmap makes the same arrays,
# but an interrupt inside its finalizer ends that finalizer, and the table would be in use for as long as the process lives;
# for a file that was cut short, Mmap throws an error of its own, or none (docs/julia-versions.md).

const PROT_READ, MAP_SHARED = 1, 1
const MAP_FAILED = Ptr{Cvoid}(-1)

"Mapped pages. They are unmapped when `owner` is collected; then `start` is 0."
struct Mapping
    start::Threads.Atomic{UInt}
    nbytes::Int
    owner::WeakRef
end

"The mappings of this process, and those it unmapped since [`sweep_mappings`](@ref) last looked."
const MAPPINGS = Mapping[]
const MANY_MAPPINGS = Ref(64)

"""
`length` values of type `S`, starting at byte `offset` of the file, as a read-only `Vector`. The mapping keeps the file's
lock, even when the descriptor is closed (mmap(2), NOTES). Throws `Damaged` if the file is too short.
"""
@noinline function map_values(file::Descriptor, S::Type, length::Int, offset::Int)
    before = offset % Int(ccall(:getpagesize, Cint, ()))  # a mapping begins at a page
    nbytes = before + length * sizeof(S)
    # Reading a mapping beyond the end of a file that somebody cut short is a SIGBUS.
    offset + length * sizeof(S) <= facts_of(file.fd).size || damaged("it is not a whole Arrow file (it shrank)")
    Base.length(MAPPINGS) < MANY_MAPPINGS[] || (MANY_MAPPINGS[] = 2 * sweep_mappings() + 64)
    return disable_sigint() do
        start = ccall(
            :mmap, Ptr{Cvoid}, (Ptr{Cvoid}, Csize_t, Cint, Cint, Cint, Clong),
            C_NULL, nbytes, PROT_READ, MAP_SHARED, file.fd, offset - before,
        )
        start == MAP_FAILED && failed("mmap")
        values = unsafe_wrap(Array, Ptr{S}(start + before), length)
        owner = owner_of(values)
        mapping = Mapping(Threads.Atomic{UInt}(UInt(start)), nbytes, WeakRef(owner))
        guarded(() -> push!(MAPPINGS, mapping))
        finalizer(_ -> give_back(mapping), owner)
        return values
    end
end

"Unmap once, for the first caller: a finalizer, or the sweep that finds that a finalizer did not finish."
function give_back(mapping::Mapping)
    disable_sigint() do
        start = Threads.atomic_xchg!(mapping.start, UInt(0))
        start == 0 || ccall(:munmap, Cint, (UInt, Csize_t), start, mapping.nbytes)
    end
    return nothing
end

"Unmap what nobody refers to and a finalizer did not unmap; return how many mappings are left."
@noinline function sweep_mappings()
    return guarded() do
        for mapping in MAPPINGS
            mapping.owner.value === nothing && give_back(mapping)
        end
        length(filter!(mapping -> mapping.start[] != 0, MAPPINGS))
    end
end

const MOST_COLLECTIONS = 5

"""
Let go of what this process has dropped. One collection is not always enough: if another thread begins one at the same time,
it takes the place of ours, and it may be a small one; also, another thread may run the finalizers.
"""
@noinline function let_go()
    before = -1
    for _ in 1:MOST_COLLECTIONS
        GC.gc()
        yield()
        left = sweep_mappings()
        left in (0, before) && break
        before = left
    end
    return nothing
end
