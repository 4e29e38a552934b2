# Tab in an IJulia notebook: columns after `trips["`, tables after `attach("`, public names after `ArrowSHM.`. Julia by itself
# completes the keys of an `AbstractDict`, offers files in every other text, and lists a module's internals.

"The public names that are not exported: docs/julia.md describes each."
const PUBLIC = (
    :info, :pin, :unpin, :gc, :isolder, :metadata, :pooled, :Timestamp, :Decimal, :MonthDayNano, :DayTime, :ArrowSHMError,
    :TableNotFound, :TableExists, :InvalidName, :NoRoom, :UnsafeDirectory, :DamagedTable, :NewerProtocol, :Busy,
    :UnsupportedSource, :DamagedColumn, :StoreFailed, :UnsupportedPlatform, :LoadFailed, :LoadsItself, :NoPython,
)
# The keyword came with Julia 1.11, and is a syntax error before.
@static VERSION >= v"1.11" && Core.eval(@__MODULE__, Expr(:public, PUBLIC...))

const AFTER_COLUMN = r"((?:[\w!]+\.)*[\w!]+)\[\"([^\"\\\n]*)$"
const AFTER_TABLE = r"(?:\b(?:attach|share|unshare|info|pin|unpin)\(\s*|@(?:attach|share)\s+(?:[\w!]+\s*=\s*)?)\"([^\"\\\n]*)$"
const AFTER_ATTACH = r"@attach\s+([\w!]*)$"
const AFTER_MODULE = r"\bArrowSHM\.(@?\w*)$"

"The possible completions at the end of some code, and the part of it that is already there; `nothing` if Julia should answer."
@noinline function complete_code(code::AbstractString, home::Module)
    found = match(AFTER_COLUMN, code)
    if found !== nothing
        table = look_up_value(found[1], home)
        return table isa SharedTable ? matching(map(escape_string, names(table)), found[2]) : nothing
    end
    found = match(AFTER_TABLE, code)
    found === nothing || return matching(shared_names(), found[1])
    found = match(AFTER_ATTACH, code)
    found === nothing || return matching(filter(Base.isidentifier, shared_names()), found[1])
    found = match(AFTER_MODULE, code)
    found === nothing || return matching(map(String, Symbol[names(@__MODULE__); PUBLIC...]), found[1])
    return nothing
end

matching(candidates, begun) = (found = sort!(filter(name -> startswith(name, begun), candidates)); isempty(found) ? nothing : (found, begun))
shared_names() = String[table.name for table in tables()]

"The value of a name with dots, if it can be had without running code."
function look_up_value(path::AbstractString, home::Module)
    value = home
    for part in split(path, '.')
        value isa Module && isdefined(value, Symbol(part)) || return nothing
        value = getfield(value, Symbol(part))
    end
    return value
end

"Answer IJulia's request for completions, if it is ours. Since 1.30 its handlers take a kernel before the message."
function answer_completion(ijulia::Module, theirs, arguments...)
    message = arguments[end]
    reply = try
        completion_reply(ijulia, message)
    catch  # an IJulia that has other messages
        nothing
    end
    reply === nothing && return theirs(arguments...)
    return ijulia.send_ipython(arguments[1:end-1]..., ijulia.msg_reply(message, "complete_reply", reply))
end

function completion_reply(ijulia::Module, message)
    code, cursor = message.content["code"]::String, Int(message.content["cursor_pos"])
    stop = min(ijulia.chr2ind(message, code, cursor), lastindex(code))
    found = complete_code(SubString(code, 1, stop), Main)
    found === nothing && return nothing
    matches, begun = found
    begun = String(begun)
    start = cursor - ijulia.ind2chr(message, begun, lastindex(begun))
    return Dict(
        "status" => "ok", "matches" => matches, "metadata" => Dict(), "cursor_start" => start, "cursor_end" => cursor,
    )
end
