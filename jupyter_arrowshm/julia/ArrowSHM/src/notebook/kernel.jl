# The values that a Jupyter kernel keeps by itself, and when to collect.

"Variables that `@attach` bound, and the tables they held: a table that its variable no longer holds was dropped."
const BOUND = Tuple{Module,Symbol,WeakRef}[]
const JOINED = Ref(false)

function remember_binding(home::Module, variable::Symbol, table::SharedTable)
    # Loading the package is too early: startup.jl may do that, and IJulia comes after it.
    JOINED[] || Base.invokelatest(join_kernel)
    filter!(entry -> entry[1:2] != (home, variable), BOUND)
    push!(BOUND, (home, variable, WeakRef(table)))
end

"After each cell: collect if a variable that held a table was given another value, else do nothing."
function collect_dropped()
    before = length(BOUND)
    filter!(BOUND) do (home, variable, table)
        table.value !== nothing && isdefined(home, variable) && getfield(home, variable) === table.value
    end
    length(BOUND) < before && GC.gc()
    return nothing
end

function join_kernel()
    ijulia() === nothing && return
    JOINED[] = true
    call_after_cells(collect_dropped)
    call_for_completions(answer_completion)
end

"""
Forget what the REPL's or the notebook's history keeps of this version of a table, from any attach: `ans`, `err`, `Out`.
"""
@noinline function forget_history(table::SharedTable)
    same = SharedTable[table]
    for history in outputs(), value in values(history)
        value isa SharedTable && is_same(value, table) && push!(same, value)
    end
    columns = Any[column for one in same for column in getfield(one, :columns) if column !== nothing]
    keeps(value) = value isa SharedTable ? is_same(value, table) : any(column -> column === value, columns)
    keeps(value::SubArray) = keeps(parent(value))
    # An error has its subject in its fields: a `BoundsError` has the column.
    keeps(value::Exception) = any(k -> isdefined(value, k) && keeps(getfield(value, k)), 1:nfields(value))
    keeps(errors::AbstractVector{<:NamedTuple}) = any(entry -> keeps(first(entry)), errors)
    home = home_of_answer()
    for name in (:ans, :err)
        name === :err && home === Main && continue  # the user's own variable
        isdefined(home, name) && keeps(getfield(home, name)) || continue
        try
            Core.eval(home, :($name = nothing))
        catch  # IJulia's, imported there
        end
    end
    Base.invokelatest(forget_outputs, keeps)
end

is_same(a::SharedTable, b::SharedTable) =
    source_of(a).path == source_of(b).path && source_of(a).version == source_of(b).version

"The facts about a table that [`finish_detach`](@ref) needs, without the table: what is on the stack cannot be collected."
@noinline function prepare_detach(home::Module, variable::Symbol, @nospecialize(get))
    table = get()
    table isa SharedTable || throw(ArgumentError("`$variable` holds no shared table"))
    forget_history(table)
    filter!(entry -> entry[1:2] != (home, variable), BOUND)
    source = source_of(table)
    return source.name, dirname(source.path), source.version[2]
end

@noinline function finish_detach(name::String, path::String, inode::UInt64)
    let_go()
    println(name, is_held(path, inode) ? ": still attached, a column, a view or another variable holds it" : ": detached")
end

"Whether this process has a lease on this inode."
function is_held(path::String, inode::UInt64)
    directory = Directory(path)
    pids = explaining(directory) do
        with_directory(at -> lessees(Locks(directory, at), inode), directory)
    end
    return pids !== nothing && Int(getpid()) in pids
end
