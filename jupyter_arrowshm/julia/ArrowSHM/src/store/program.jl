# The program that this process runs: it may replace a table that its earlier run shared (docs/protocol.md, "Ownership").

const RUNNERS = ("nbconvert", "execute", "run", "papermill")  # programs that start a kernel for the notebook they are given

"The program as one word of 64 hexadecimal digits; empty where nothing tells it from others."
@noinline function program(who::Holder)
    isempty(who.kernel_id) || return digest_of(notebook_path())
    path = script()
    # A launcher of many programs does not count as a program.
    (isempty(path) || basename(dirname(path)) == "bin") && return ""
    return digest_of(path, STARTED_IN[], ARGS...)
end

digest_of(path::String, more::String...) = isempty(path) ? "" : bytes2hex(sha256(join((path, more...), '\0')))

"Absolute path of the notebook that this kernel runs, as far as its front end says it."
function notebook_path()
    told = given_to_parent()
    isempty(told) && (told = get(ENV, "JPY_SESSION_NAME", ""))
    # A console has a name, too, and many have the same one.
    return isempty(told) || !isfile(told) ? "" : abspath(told)
end

"The notebook on the command line of the program that started this kernel, if it is one that runs notebooks."
function given_to_parent()
    parent = Int(ccall(:getppid, Cint, ()))
    words = arguments(parent)
    names = [replace(basename(word), r"^jupyter-" => "") for word in words[1:min(3, end)]]
    any(in(RUNNERS), names) || return ""
    given = [word for (before, word) in zip(words, words[2:end]) if endswith(word, ".ipynb") && before != "--output"]
    filter!(word -> !startswith(word, "-"), given)
    "papermill" in names && (given = given[1:min(1, end)])  # the next one is the output
    length(given) == 1 || return ""
    try
        return joinpath(readlink("/proc/$parent/cwd"), given[1])
    catch error
        error_number(error) === nothing && rethrow()
        return ""
    end
end
