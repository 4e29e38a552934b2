# What a Julia user waits for, and what columns in shared memory cost against Julia's own arrays.
#
#     julia benchmarks/julia.jl [--rounds 7] [--mib 1024]
#
# Waits are of fresh processes, one for each round; medians. Loops are timed in turns in one process; the ratio is to the
# same loop over a Vector. Makes a store of its own in /dev/shm and removes it; needs twice the size in memory.

const PACKAGES = joinpath(dirname(@__DIR__), "jupyter_arrowshm", "julia")

option(name, default) = (i = findfirst(==(name), ARGS); i === nothing ? default : parse(Int, ARGS[i+1]))
median(x) = (s = sort(x); n = length(s); isodd(n) ? s[(n+1)÷2] : (s[n÷2] + s[n÷2+1]) / 2)
rpad_(x, n) = rpad(string(x), n)

const WAITS = """
resident() = parse(Int, split(read("/proc/self/statm", String))[2]) * 4096 / 1e6
begun = time_ns()
lap() = (now = time_ns(); ms = (now - begun) / 1e6; global begun = now; ms)
lap()
using ArrowSHM
loaded = lap()
lap()
t = attach("bench")
attached = lap()
x = t.x1
column = lap()
again = minimum([(lap(); attach("bench"); lap()) for _ in 1:20])
tables(); lap(); tables()
listed = lap()
# Of another process's table, and once all is compiled: what the mapping itself takes.
GC.gc()
before = resident()
u = attach("bench")
after = resident()
println(join([loaded, attached, column, again, listed, after - before], " "))
"""

const LOOPS = """
using ArrowSHM
const C = ArrowSHM.Columns
median(x) = sort(x)[(length(x)+1)÷2]
function against(name, own, ours)
    f_own, f_ours = own(), ours()
    isequal(f_own, f_ours) || f_own ≈ f_ours || error(name)
    a, b = Float64[], Float64[]
    for _ in 1:ROUNDS
        push!(a, @elapsed own())
        push!(b, @elapsed ours())
    end
    println(name, "\\t", 1000 * median(a), "\\t", 1000 * median(b))
end
t = attach("bench")
x = t.x1
own = copy(x)
against("sum, Float64, one batch", () -> sum(own), () -> sum(x))
buffer = C.Buffer{Float64}(getfield(getfield(t, :source), :bytes), getfield(t, :batches)[1].buffers[2][1], length(x))
cut = cld(length(x), 13)
parts = [C.Buffer{Float64}(buffer.owner, Int(UInt(buffer.start) - UInt(pointer(buffer.owner))) + 8 * (i - 1), min(cut, length(x) - i + 1)) for i in 1:cut:length(x)]
chunked = C.Chunked(parts)
against("sum, Float64, 13 batches", () -> sum(own), () -> sum(chunked))
iterated(c) = (s = 0.0; for v in c; s += v; end; s)
against("a loop, 13 batches", () -> iterated(own), () -> iterated(chunked))
n = attach("holes").n
nown = collect(n)
against("sum(skipmissing), 5 % nulls", () -> sum(skipmissing(nown)), () -> sum(skipmissing(n)))
s = attach("holes").s
sown = collect(s)
against("sum(length), text", () -> sum(length, sown), () -> sum(length, s))
"""

function main()
    rounds, mib = option("--rounds", 7), option("--mib", 1024)
    directory = mktempdir("/dev/shm"; prefix = "arrowshm-bench-")
    environment = Dict(
        "JUPYTER_ARROWSHM_DIR" => joinpath(directory, "store"), "JULIA_LOAD_PATH" => "$PACKAGES:@stdlib",
        "JULIA_DEPOT_PATH" => get(ENV, "JULIA_DEPOT_PATH", joinpath(homedir(), ".julia")), "HOME" => homedir(),
        "PATH" => ENV["PATH"], "LD_LIBRARY_PATH" => get(ENV, "LD_LIBRARY_PATH", ""),
    )
    julia(code) = read(setenv(`$(Base.julia_cmd()) --startup-file=no -e $code`, environment), String)
    try
        rows = mib << 20 ÷ 64
        julia("""
            using ArrowSHM
            share("bench", NamedTuple{Tuple(Symbol.("x", 1:8))}(Tuple(rand($rows) for _ in 1:8)))
            n = Union{Missing,Float64}[rand() < 0.05 ? missing : rand() for _ in 1:10^7]
            share("holes", (n = n, s = string.("flight ", 1:10^7)))
        """)
        println("Julia $VERSION, $(Sys.CPU_THREADS) CPUs, $(mib) MiB table, medians of $rounds processes\n")
        runs = [parse.(Float64, split(julia(WAITS))) for _ in 1:rounds]
        names = (
            "using ArrowSHM, ms", "first attach, ms", "first column, ms", "attach again, ms", "tables() again, ms",
            "memory of attaching, MB",
        )
        for (i, name) in enumerate(names)
            println(rpad_(name, 30), lpad(round(median([run[i] for run in runs]); digits = 2), 10))
        end
        println("\n", rpad_("", 30), lpad("Vector", 10), lpad("shared", 10), lpad("ratio", 8))
        for line in split(julia("const ROUNDS = $(max(5, rounds))\n" * LOOPS), '\n'; keepempty = false)
            name, own, ours = split(line, '\t')
            own, ours = parse(Float64, own), parse(Float64, ours)
            print(rpad_(name, 30), lpad("$(round(own; digits = 1)) ms", 10), lpad("$(round(ours; digits = 1)) ms", 10))
            println(lpad(round(ours / own; digits = 2), 8))
        end
    finally
        rm(directory; recursive = true)
    end
end

main()
