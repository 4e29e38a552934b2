# A process in terms that people know: its notebook, its script, its language.

"""
A live process that keeps a table alive; a field that does not apply is empty. `pid` is `nothing` for a process that this
one cannot see. `child` is true if one of its parents is the kernel, not the process itself.
"""
struct Holder
    pid::Union{Nothing,Int}
    language::String
    kernel_id::String
    notebook::String
    script::String
    child::Bool
end
Holder(pid = nothing, language = "", kernel_id = "", notebook = "", script = "") =
    Holder(pid, language, kernel_id, notebook, script, false)

"The process that shared a table, as it described itself. `alive` is `nothing` where the file does not say who that was."
struct Publisher
    holder::Holder
    alive::Union{Nothing,Bool}
end

"The name of a process for people: `model.ipynb (julia)`, `etl.jl`, `julia (pid 4711)`. A footer may say anything."
label(holder::Holder) = printable(label_of(holder))

function label_of(holder::Holder)
    if !isempty(holder.notebook) || !isempty(holder.kernel_id)
        name = isempty(holder.notebook) ? "kernel $(first(holder.kernel_id, 8))" : holder.notebook
        text = "$name ($(isempty(holder.language) ? "unknown language" : holder.language))"
        return holder.child ? "$text, child process $(holder.pid)" : text
    end
    isempty(holder.script) || return basename(holder.script)
    holder.pid === nothing && return isempty(holder.language) ? "unknown process" : holder.language
    return "$(isempty(holder.language) ? "process" : holder.language) (pid $(holder.pid))"
end

label(publisher::Publisher) = label(publisher.holder)
Base.show(io::IO, holder::Holder) = print(io, label(holder))
Base.show(io::IO, publisher::Publisher) =
    print(io, label(publisher), publisher.alive === false ? " (ended)" : "")

"The directory that Julia was started in, as far as the package can know: the script's path is relative to it."
const STARTED_IN = Ref("")
script() = isempty(PROGRAM_FILE) ? "" : abspath(joinpath(STARTED_IN[], PROGRAM_FILE))

"This process. A kernel has no script: its program is IJulia's, the same for every notebook."
@noinline function myself()
    # ARGS alone is not enough: IJulia removes its own argument from it (since 1.33).
    kernel = kernel_id([arguments(getpid()); ARGS])
    notebook = isempty(kernel) ? "" : basename(get(ENV, "JPY_SESSION_NAME", ""))
    return Holder(Int(getpid()), "julia", kernel, notebook, isempty(kernel) ? script() : "")
end

"The id of the Jupyter kernel that was started by this command line, from its connection file; else empty."
function kernel_id(command_line)
    for word in command_line
        found = match(r"kernel-(?:v2-)?([^/\\]+)\.json$", word)
        found === nothing || return String(found.captures[1])
    end
    return ""
end

"The known facts about a live process: its kernel and notebook (for a child, its parent's), or its script."
@noinline function look_up(pid::Integer)
    command_line = arguments(pid)
    isempty(command_line) && return Holder(pid)
    language = language_of(command_line)
    candidate, steps = pid, 0
    while candidate > 1 && steps < 64
        kernel = kernel_id(candidate == pid ? command_line : arguments(candidate))
        if !isempty(kernel)
            notebook = basename(session_name(candidate))
            return Holder(pid, language, kernel, notebook, "", candidate != pid)
        end
        candidate, steps = parent_of(candidate), steps + 1
    end
    return Holder(pid, language, "", "", script_of(command_line))
end

arguments(pid::Integer) = split_zeros(read_text("/proc/$pid/cmdline"))
split_zeros(text) = text === nothing ? String[] : String.(split(text, '\0'; keepempty = false))

function session_name(pid::Integer)
    for entry in split_zeros(read_text("/proc/$pid/environ"))
        startswith(entry, "JPY_SESSION_NAME=") && return String(split(entry, '='; limit = 2)[2])
    end
    return ""
end

"The parent's pid, from proc_pid_stat(5); 0 if the process is gone. The command in it may hold blanks and brackets."
function parent_of(pid::Integer)
    text = read_text("/proc/$pid/stat")
    text === nothing && return 0
    words = split(last(rsplit(text, ')'; limit = 2)))
    return length(words) >= 2 ? something(tryparse(Int, words[2]), 0) : 0
end

function language_of(command_line)
    program = basename(first(command_line))
    for known in ("python", "julia", "R")
        startswith(program, known) && return known
    end
    return program
end

const WITH_VALUE = ("-W", "-X", "-t", "-p", "-L", "-J", "-C", "-H", "--threads", "--procs")  # of Python and of Julia

"The first word that is not an option of Python or Julia; `-m`, `-c` and `-e` name no file."
function script_of(command_line)
    skip = false
    for word in command_line[2:end]
        if skip
            skip = false
        elseif word in ("-c", "-m", "-e", "-E", "--eval")
            return ""
        elseif word in WITH_VALUE
            skip = true
        elseif !startswith(word, "-")
            return word
        end
    end
    return ""
end
