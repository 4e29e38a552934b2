# Lists the files, attaches each, reads what is in it, and shares that again. What it throws is counted: whatever is no
# typed error has a "!". Every length, offset and index is checked before it is used, whoever wrote the file.

module Fuzz

using ArrowSHM

const SOME = 16  # rows that are read, at each end: a garbled column of nulls may say that it has 2^40
const HANGS = 120  # s for one file; then SIGALRM ends the process

deep(@nospecialize(x)) = x isa AbstractString || x isa Base.CodeUnits ? hash(x) : each(x)
function each(@nospecialize(x))
    if x isa AbstractVector
        n = length(x)
        for i in (n <= 2 * SOME ? (1:n) : [1:SOME; n-SOME+1:n])
            deep(x[i])
        end
    elseif x isa Union{NamedTuple,Pair,Tuple}
        foreach(k -> deep(getfield(x, k)), 1:nfields(x))
    else
        string(x)
    end
end

# Of values that Julia cannot have: a date64 that is not a whole day, seconds that no DateTime reaches.
is_foreseen(error) = error isa Union{ArrowSHM.ArrowSHMError,InexactError,OverflowError}

function outcome(f, counts, name, what)
    text = try
        f()
        "$what: fine"
    catch error
        is_foreseen(error) ? "$what: $(nameof(typeof(error)))" :
        "! $name, $what: $(first(sprint(showerror, error), 200))"
    end
    counts[text] = get(counts, text, 0) + 1
    return endswith(text, "fine")
end

function read_all(names, progress)
    counts = Dict{String,Int}()
    write(progress, "all of $(names[1]) to $(names[end])")
    outcome(() -> sprint(show, MIME("text/plain"), tables()), counts, "all", "list")
    for name in names
        write(progress, name)
        ccall(:alarm, Cuint, (Cuint,), HANGS)
        outcome(counts, name, "attach") do
            t = attach(name)
            sprint(show, MIME("text/plain"), t)
            for i in 1:length(t)
                outcome(() -> deep(t[i]), counts, name, "read")
            end
            size(t, 1) < 100 && outcome(() -> share("again", t; replace = true), counts, name, "share")
        end
    end
    ccall(:alarm, Cuint, (Cuint,), 0)
    GC.gc()  # else what is still mapped of these files is looked up when the next are listed
    return counts
end

end
