# Macros for notebooks: each says in one line what it did, returns nothing, and fails in one line.

"""
    @share trips [replace=true] [pin=true] [to="team"]
    @share "other name" expression

Share a table under its variable's name, or under another one. See [`share`](@ref).
"""
macro share(arguments...)
    target, options = split_arguments(arguments)
    if length(target) == 1 && target[1] isa Symbol
        name, value = String(target[1]), target[1]
    elseif length(target) == 2
        name, value = target
    else
        throw(ArgumentError("@share variable, or @share \"name\" expression"))
    end
    return :($share_aloud($(esc(name)), $(esc(value)); $(options...)); nothing)
end

"""
    @attach trips [columns=["fare"]] [wait=10]
    @attach variable = "name"
    @attach(variable = "./trips.parquet", columns = ["fare"], where = "fare > 10")

Attach a table as a variable with its name, or with another name; or the rows of a file. See [`attach`](@ref).
"""
macro attach(arguments...)
    target, options = split_arguments(arguments; keep_first = true)
    length(target) == 1 || throw(ArgumentError("@attach name, or @attach variable = \"name\""))
    if target[1] isa Symbol
        variable, name = target[1], String(target[1])
    elseif target[1] isa Expr && target[1].head === :(=)
        variable, name = target[1].args
    else
        throw(ArgumentError("@attach name, or @attach variable = \"name\""))
    end
    bound = QuoteNode(variable)
    return :($(esc(variable)) = $attach_aloud($__module__, $bound, $(esc(name)); $(options...)); nothing)
end

"""
    @detach trips

Drop a variable that holds an attached table, and what the notebook kept of it (`ans`, `Out`); then say whether this
process still has the table attached through something else.
"""
macro detach(variable)
    variable isa Symbol || throw(ArgumentError("@detach variable"))
    facts = gensym()
    return quote
        local $facts = $prepare_detach($__module__, $(QuoteNode(variable)), () -> $(esc(variable)))
        $(esc(variable)) = nothing
        $finish_detach($facts...)
        nothing
    end
end

"The positional arguments of a macro, and its `key=value` ones as keywords; `@attach x = \"name\"` begins with one."
function split_arguments(arguments; keep_first = false)
    target, options = Any[], Any[]
    for (i, argument) in enumerate(arguments)
        if argument isa Expr && argument.head === :(=) && !(keep_first && i == 1)
            push!(options, Expr(:kw, argument.args[1], esc(argument.args[2])))
        else
            push!(target, argument)
        end
    end
    return target, options
end

@noinline function briefly(@nospecialize(f))
    try
        return f()
    catch error
        error isa ArrowSHMError || rethrow()
        throw(Brief(error))
    end
end

@noinline function share_aloud(name, @nospecialize(value); options...)
    place = get(options, :to, nothing)
    bar = Bar("sharing $name")
    told = isinteractive() && place !== nothing ? (progress = (written, total) -> tell(bar, written, total),) : NamedTuple()
    table = try
        briefly(() -> share(name, value; told..., options...))
    finally
        wipe(bar)
    end
    shape = words_shape(table.num_rows, table.num_columns)
    println(table.name, ": ", shape, ", ", words_size(table.nbytes), place === nothing ? ", shared" : ", shared in $(printable(place))")
end

@noinline function attach_aloud(home::Module, variable::Symbol, name; options...)
    bar = Bar("loading $name")
    told = isinteractive() && is_address(name) ? (progress = (written, total) -> tell(bar, written, total),) : NamedTuple()
    table = try
        briefly(() -> attach(name; told..., options...))
    finally
        wipe(bar)
    end
    println(head_line(table), ", attached")
    remember_binding(home, variable, table)
    return table
end

const PATIENCE = 0.5  # s until a line says how far it is

"A line that says how far a loading is, and that is gone at its end."
mutable struct Bar
    what::String
    begun::Float64
    width::Int
end
Bar(what::String) = Bar(what, time(), 0)

function tell(bar::Bar, written::Integer, total::Integer)
    time() - bar.begun < PATIENCE && return
    line = "$(bar.what): $(words_size(written))$(total > 0 ? " of $(words_size(total))" : "")"
    print("\r", rpad(line, bar.width))
    bar.width = max(bar.width, textwidth(line))
    flush(stdout)
end

wipe(bar::Bar) = bar.width > 0 && print("\r", ' '^bar.width, "\r")
