# Runs the `jldoctest` blocks of the package's docstrings as Documenter would: Documenter needs a registry.

module DocTests

"Each block of each docstring of a module, and the place of the docstring."
function blocks(home::Module)
    found = Tuple{String,String}[]
    for docs in values(Base.Docs.meta(home)), doc in values(docs.docs)
        text = join(doc.text)
        for block in eachmatch(r"```jldoctest\n(.*?)```"s, text)
            push!(found, ("$(basename(doc.data[:path])):$(doc.data[:linenumber])", String(block[1])))
        end
    end
    return sort!(found)
end

"`code => output` of each prompt of a block."
function steps(block::String)
    found = Pair{String,String}[]
    for part in split("\n" * block, "\njulia> "; keepempty = false)
        lines = split(part, '\n')
        code = 1
        while code < length(lines) && startswith(lines[code+1], "       ")
            code += 1
        end
        push!(found, join(map(strip, lines[1:code]), "\n") => rstrip(join(lines[code+1:end], "\n")))
    end
    return found
end

"The text that the REPL would show."
function shown(home::Module, code::AbstractString)
    try
        value = include_string(home, code)
        return value === nothing || endswith(code, ";") ? "" : sprint(shown_value, value)
    catch error
        error = error isa LoadError ? error.error : error
        return "ERROR: " * sprint(showerror, error)
    end
end
shown_value(io, value) = Base.invokelatest(show, IOContext(io, :limit => true, :module => Main), MIME("text/plain"), value)

"Call `f(place, code, expected, found)` for each prompt."
function each(f, homes)
    for home in homes, (place, block) in blocks(home)
        workspace = Module()
        Core.eval(workspace, :(using ArrowSHM, Dates))
        for (code, expected) in steps(block)
            f(place, code, expected, rstrip(shown(workspace, code)))
        end
    end
end

end
