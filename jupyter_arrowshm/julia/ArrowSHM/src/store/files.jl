# Files as what a table is loaded from. The Python package reads them: Julia's standard library reads no Parquet, and every
# program of this machine then attaches the same table (docs/protocol.md, "Loading").

const SCHEME = r"^[A-Za-z][A-Za-z0-9+.-]+://"
const HOME_OF_PACKAGE = dirname(dirname(dirname(dirname(dirname(@__DIR__)))))  # where the Python package is
const MOST_LOADS = 5  # if the table is removed each time between its loading and our attach, something else is wrong

"A path or a URI, and not a table's name."
is_address(name::AbstractString) = '/' in name

"""
The rows of files: with `columns` only these, with `where` only those for which a filter holds. `progress(written, total)` is
called now and then while they are loaded, with bytes; `total` is 0 where it is not known.
"""
@noinline function attach_files(address::String, columns, where_::AbstractString, wait, @nospecialize(progress), store::Store)
    check_wait(wait)
    loaded = loaded_store(store)
    path = occursin(SCHEME, address) ? nothing : local_path(address)
    part = Part(columns, String(strip(where_)))
    for attempt in 1:MOST_LOADS
        name = path === nothing ? nothing : loaded_before(loaded, path, part)
        name === nothing && (name = load_files(something(path, address), part, wait, progress, store))
        try
            return attach(name; store = loaded, columns = columns)
        catch error
            error isa TableNotFound && attempt < MOST_LOADS || rethrow()
        end
    end
end

"What is wanted of files: the names of columns, or `nothing` for all; a filter, or an empty text."
struct Part
    columns::Union{Nothing,Vector{String}}
    filter::String
end

"As Python's `os.path.abspath` has it: no `.`, no `..`, no slash at the end."
function local_path(address::String)
    path = abspath(expanduser(address))
    return length(path) > 1 ? String(rstrip(path, '/')) : path
end

"The name of the table that this file was loaded as, if it is the file's present state; else Python is asked."
@noinline function loaded_before(loaded::Store, path::String, part::Part)
    file = open_any(AT_FDCWD, path)
    file === nothing && return nothing
    found = closing(facts_of, file)
    isfile(found) || return nothing
    name = name_of_address(path, part)
    known = explaining(() -> with_directory(at -> summary_of(loaded, at, name), loaded.directory), loaded.directory)
    (known === nothing || known[2] === nothing) && return nothing
    facts = known[2].facts
    version = "$(found.changed)-$(found.size)-$(found.inode)"
    return get(facts, "origin", "") == path && get(facts, "origin-version", "") == version ? name : nothing
end

"The last part of an address, and eight digits that tell it from its like."
function name_of_address(address::String, part::Part = Part(nothing, ""))
    plain(char) = isascii(char) && (isletter(char) || isdigit(char) || char in "_.+=,@-")
    last_part = lstrip(char -> char in ".-", map(char -> plain(char) ? char : '_', basename(address)))
    digits = first(bytes2hex(sha256(join([address; part.filter; something(part.columns, ["*"])], '\0'))), 8)
    return "$(isempty(last_part) ? "table" : first(last_part, 60))-$digits"
end

"""
The Python that has the Python package: that of the environment which this package is a part of; else that of the command
`jupyter-arrowshm` on `PATH`; else `python3`. Throws [`NoPython`](@ref).
"""
@noinline function find_python(home::String = HOME_OF_PACKAGE)
    candidates = String[]
    parts = match(r"^(.*)/lib(?:64|32)?/(python3\.\d+)t?/(?:site|dist)-packages$", home)
    parts === nothing || append!(candidates, [joinpath(parts[1], "bin", parts[2]); on_path(String(parts[2]))])
    for command in on_path("jupyter-arrowshm")
        # In a user's own bin it has no Python beside it; pipx has a link there, to where both are.
        append!(candidates, joinpath.(dirname.([command, realpath(command)]), "python3"))
    end
    for candidate in append!(candidates, on_path("python3"))
        isfile(candidate) && return candidate
    end
    throw(NoPython())
end

"Where the shell would find it. `Sys.which` of Julia 1.5 follows links, which in a virtual environment leads out of it."
on_path(name::String) =
    filter(isfile, [joinpath(folder, name) for folder in split(get(ENV, "PATH", ""), ':'; keepempty = false)])

"""
Have Python load it, unless that was done before; return the name of its table in the store of loaded ones. With a `place` it is
the name of a table in a folder or bucket.
"""
@noinline function load_files(address::String, part::Part, wait, @nospecialize(progress), store::Store, place::String = "")
    options = String[]
    isempty(place) || push!(options, "--from=" * place)
    part.columns === nothing || append!(options, "--column=" .* part.columns)
    isempty(part.filter) || push!(options, "--where=" * part.filter)
    wait === nothing || push!(options, "--wait=$(Float64(wait))")
    progress === nothing || push!(options, "--progress")
    name = ""
    ask_python([options; "--"; address], address, store) do line
        is_progress(line, progress) || (name = line)
    end
    return check_name(name)
end

"Whether the line says how far it is, which `progress` is then told."
function is_progress(line::String, @nospecialize(progress))
    numbers = match(r"^([0-9]+) ([0-9]+)$", line)
    numbers === nothing || progress(parse(Int, numbers[1]), parse(Int, numbers[2]))
    return numbers !== nothing
end

"""
Call `f` with each line that the loader of the Python package prints. `what` is what an error speaks of, and `failed` makes one of
that and of a text, which is `nothing` if Python was killed. `file` is Python's standard input.
"""
@noinline function ask_python(
    @nospecialize(f), options::Vector{String}, what::String, store::Store; file = devnull, failed = load_failed,
)
    environment = copy(ENV)
    environment[ENVIRONMENT_VARIABLE] = store.directory.path
    command = setenv(`$(find_python()) -m jupyter_arrowshm.cli.loader --speaker=julia $options`, environment)
    said, complaint = Pipe(), Pipe()
    process = run(pipeline(command; stdin = file, stdout = said, stderr = complaint); wait = false)
    try
        close(said.in)
        close(complaint.in)
        errors = @async read(complaint, String)
        foreach(line -> f(String(line)), eachline(said))
        success(process) && return nothing
        reason = strip(fetch(errors))
        occursin("No module named", reason) && throw(NoPython())
        throw(process.termsignal == 0 ? told_error(String(reason), what, failed) : failed(what, nothing))
    finally
        process_running(process) && kill(process)  # an interrupt: in a notebook, only this process has got it
    end
end

# Killed when it is out of memory, as a rule; the next one who asks loads it again.
load_failed(what, reason) = LoadFailed(
    what, reason === nothing ? "$what cannot be loaded: the Python that reads it was killed. Try again." : reason,
)

"The error of the Python package as this package's own. `said` is all that Python printed."
@noinline function told_error(said::String, what::String, @nospecialize(failed))
    lines = split(said, '\n')
    i = findlast(line -> occursin(r"^[A-Z][A-Za-z]+\t", line), lines)
    i === nothing && return failed(what, said)
    kind, text, more = String.(split(lines[i], '\t'; limit = 3))
    fields = Dict(String(key) => String(value) for (key, value) in split.(split(more, '\t'), '='; limit = 2))
    field(key) = get(fields, key, "")
    if kind == "TableExists"
        seconds = tryparse(Float64, field("published_at"))
        return TableExists(
            field("name"), field("publisher"), field("alive") == "1", seconds === nothing ? nothing : Dates.unix2datetime(seconds),
        )
    end
    kind == "TableNotFound" && return TableNotFound(field("name"), split(field("near")), nothing, "", field("place"))
    kind == "PlaceNotFound" && return PlaceNotFound(field("name"))
    kind == "PlaceFailed" && return PlaceFailed(field("place"), field("reason"), field("fix"))
    kind == "NoRoom" && return NoRoom(parse(Int, field("needed")), parse(Int, field("free")), field("directory"), [])
    return failed(what, text)
end
