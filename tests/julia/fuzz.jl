# Attaches each file, reads what is in it, and shares that again. What it throws is counted; a signal ends the process.

module Fuzz

using ArrowSHM

const SOME = 16  # rows that are read, at each end: a garbled column of nulls may say that it has 2^40

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

# Of values that Julia cannot have: a date64 that is no whole day, seconds that no DateTime reaches.
is_foreseen(error) = error isa Union{ArrowSHM.ArrowSHMError,InexactError,OverflowError}

function outcome(f, counts)
    name = try
        f()
        "fine"
    catch error
        is_foreseen(error) || (counts["!" * sprint(showerror, error)[1:min(end, 200)]] = 1)
        string(nameof(typeof(error)))
    end
    counts[name] = get(counts, name, 0) + 1
    return name == "fine"
end

function read_all(names, progress)
    counts = Dict{String,Int}()
    for name in names
        write(progress, name)
        outcome(counts) do
            t = attach(name)
            sprint(show, MIME("text/plain"), t)
            for i in 1:length(t)
                outcome(() -> deep(t[i]), counts)
            end
            size(t, 1) < 100 && outcome(() -> share("again", t; replace = true), counts)
        end
    end
    return counts
end

end
