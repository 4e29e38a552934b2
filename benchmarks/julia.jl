# What a Julia user waits for, and what columns in shared memory cost against Julia's own arrays.
#
#     julia benchmarks/julia.jl [--rounds 7] [--mib 1024]
#
# Waits are of fresh processes, one for each round; medians. Loops are timed in turns in one process; the ratio is to the
# same loop over a Vector. Makes a store of its own in /dev/shm and removes it; needs twice the size in memory, and for the
# tables of several batches a Python with pyarrow (PYTHON, else python3).

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

const WIDE = """
using ArrowSHM
attach("wide")
println(1000 * sort([@elapsed attach("wide") for _ in 1:31])[16])
"""

# CPU time: what compiling for a kind of column costs must not depend on who else is busy.
const FIRSTS = """
using ArrowSHM
cpu() = ccall(:clock, Clong, ()) / 1000
begun = Ref(cpu())
lap() = (now = cpu(); ms = now - begun[]; begun[] = now; ms)
t = attach("kinds")
t[1][1]
for name in names(t)
    lap(); column = t[name]; made = lap(); column[1]; value = lap(); foreach(identity, column); looped = lap()
    println(name, "\t", made, "\t", value, "\t", looped)
end
"""

const LOOPS = """
using ArrowSHM
const SINK = Ref{Any}()  # else a loop whose result nobody wants is not run
median(x) = sort(x)[(length(x)+1)÷2]
function against(name, own, ours)
    f_own, f_ours = own(), ours()
    isequal(f_own, f_ours) || f_own ≈ f_ours || error(name)
    a, b = Float64[], Float64[]
    for _ in 1:ROUNDS, (times, f) in ((a, own), (b, ours))
        SINK[] = nothing
        GC.gc()  # else the one pays for what the other leaves
        push!(times, @elapsed SINK[] = f())
    end
    println(name, "\t", 1000 * median(a), "\t", 1000 * median(b))
end
@noinline looped(f, c) = (s = 0.0; for x in c; x === missing || (s += f(x)); end; s)
# What any loop over texts costs that are bytes yet, and no `String`s.
@noinline function made(f, units, ends)
    s, at = 0.0, 1
    for last in ends
        s += GC.@preserve units f(unsafe_string(pointer(units, at), last - at + 1))
        at = last + 1
    end
    return s
end
@noinline plus(c) = c .+ 1
@noinline letters(c) = length.(c)
@noinline equal(c) = isequal.(c, "UA")
x = attach("bench").x1
own = copy(x)
against("sum, Float64", () -> sum(own), () -> sum(x))
for (batches, t) in (("1", attach("loops1")), ("13", attach("loops13")))
    for name in names(t)
        c = t[name]
        o = c isa BitVector ? copy(c) : collect(c)
        of(what) = what * ", " * name * ", " * batches
        if Base.nonmissingtype(eltype(c)) === String
            against(of("sum(length)"), () -> sum(length, skipmissing(o)), () -> sum(length, skipmissing(c)))
            against(of("isequal."), () -> equal(o), () -> equal(c))
            against(of("a loop"), () -> looped(length, o), () -> looped(length, c))
            if startswith(name, "text")
                units, ends = codeunits(join(skipmissing(o))), cumsum(map(sizeof, skipmissing(o)))
                against(of("a loop, Strings made in both"), () -> made(length, units, ends), () -> looped(length, c))
            end
            Missing <: eltype(c) || against(of("length."), () -> letters(o), () -> letters(c))
        else
            against(of("sum(skipmissing)"), () -> sum(skipmissing(o)), () -> sum(skipmissing(c)))
            against(of("a loop"), () -> looped(identity, o), () -> looped(identity, c))
            against(of("x .+ 1"), () -> plus(o), () -> plus(c))
        end
    end
end
s = attach("text").s
print("sum(length), 17 million texts: ", round(1000 * median([@elapsed SINK[] = sum(length, s) for _ in 1:ROUNDS]); digits = 1), " ms")
"""

# Tables of one and of 13 batches, which only Python makes.
const LOOPS_IN_PYTHON = """
import sys
import numpy as np, pyarrow as pa, pyarrow.compute as pc
n = 4_000_000
x = np.random.default_rng(0).random(n)
none = pa.array(x < 0.05)
texts = pa.array([f"flight {i}" for i in range(100_000)]).take(pa.array(np.arange(n) % 100_000))
codes = pa.array(["AA", "UA", "DL"]).take(pa.array((3 * x).astype(int)))
holes = lambda column: pc.if_else(none, pa.scalar(None, column.type), column)
table = pa.table({
    "Float64": x, "Float64 with nulls": holes(pa.array(x)), "Bool": pa.array(x < 0.5), "Bool with nulls": holes(pa.array(x < 0.5)),
    "text": texts, "text with nulls": holes(texts), "text views": texts.cast(pa.string_view()),
    "dictionary": codes.dictionary_encode(), "dictionary with nulls": holes(codes).dictionary_encode(),
}).combine_chunks()
def write(name, table, batches):
    with pa.OSFile(f"{sys.argv[1]}/{name}.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, -(-len(table) // batches)))
write("loops1", table, 1)
write("loops13", table, 13)
write("text", pa.table({"s": pa.concat_arrays([texts] * 5).slice(0, 17_000_000)}), 1)
write("wide", pa.table({f"column {i}": range(10) for i in range(2000)}), 1)
sys.path.insert(0, sys.argv[2])
from samples import arrays
write("kinds", pa.table({name: array[:5] for name, array in arrays().items() if "tz=" not in name or "us, tz=UTC" in name}), 1)
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
        """)
        python = get(ENV, "PYTHON", "python3")
        tests = joinpath(dirname(@__DIR__), "tests")
        run(`$python -c $LOOPS_IN_PYTHON $(joinpath(directory, "store")) $tests`)
        println("Julia $VERSION, $(Sys.CPU_THREADS) CPUs, $(mib) MiB table, medians of $rounds processes\n")
        runs = [parse.(Float64, split(julia(WAITS))) for _ in 1:rounds]
        names = (
            "using ArrowSHM, ms", "first attach, ms", "first column, ms", "attach again, ms", "tables() again, ms",
            "memory of attaching, MB",
        )
        for (i, name) in enumerate(names)
            println(rpad_(name, 30), lpad(round(median([run[i] for run in runs]); digits = 2), 10))
        end
        println(rpad_("attach again, 2,000 columns, ms", 32), lpad(round(parse(Float64, julia(WIDE)); digits = 2), 8))
        println("\nfirst use of a column of this type, ms of CPU: to make it, to read a value, to loop over it")
        for line in split(julia(FIRSTS), '\n'; keepempty = false)
            cells = split(line, '\t')
            println(rpad_(cells[1], 50), join((lpad(round(Int, parse(Float64, ms)), 6) for ms in cells[2:end])))
        end
        println("\n", rpad_("", 54), lpad("Vector", 10), lpad("shared", 10), lpad("ratio", 8))
        for line in split(julia("const ROUNDS = $(max(5, rounds))\n" * LOOPS), '\n'; keepempty = false)
            occursin('\t', line) || (println("\n", line); continue)
            name, own, ours = split(line, '\t')
            own, ours = parse(Float64, own), parse(Float64, ours)
            print(rpad_(name, 54), lpad("$(round(own; digits = 1)) ms", 10), lpad("$(round(ours; digits = 1)) ms", 10))
            println(lpad(round(ours / own; digits = 2), 8))
        end
    finally
        rm(directory; recursive = true)
    end
end

main()
