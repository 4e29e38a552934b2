# The rules for a table's name. They are the same in every client (docs/protocol.md, "Names").

const MAX_NAME_BYTES = 200
const SUFFIX = ".arrow"

"""
Return `name` if it can name a table; else throw [`InvalidName`](@ref): it is empty, longer than 200 bytes, not in
Unicode normalization form C, begins with a dot, or holds `/`, white space or an invisible character.
"""
function check_name(name::AbstractString)
    name = String(name)
    is_plain(name) || check_letters(name)
    return name
end

"Whether the name consists of ASCII letters, digits and `_`: it breaks no rule, and nothing has to be compiled."
function is_plain(name::String)
    for byte in codeunits(name)
        0x61 <= byte <= 0x7a || 0x41 <= byte <= 0x5a || 0x30 <= byte <= 0x39 || byte == 0x5f || return false
    end
    return 1 <= sizeof(name) <= MAX_NAME_BYTES
end

@noinline function check_letters(name::String)
    isempty(name) && throw(InvalidName(name, "it is empty"))
    # This comes first: nothing below is defined for anything but text.
    isvalid(name) || throw(InvalidName(name, "it is not valid UTF-8"))
    name[1] == '.' && throw(InvalidName(name, "it begins with a dot"))
    for char in name
        char == '/' && throw(InvalidName(name, "it holds a '/'; use '-' or '.' instead"))
        # Tab, line feed, carriage return and U+0085 are control characters (Cc) to Unicode, white space to people.
        if is_white_space(char)
            throw(InvalidName(name, "it holds white space; use '_' instead"))
        elseif is_invisible(char)
            code = uppercase(string(UInt32(char); base = 16, pad = 4))
            throw(InvalidName(name, "it holds the invisible character U+$code"))
        end
    end
    if !isascii(name) && Unicode.normalize(name, :NFC) != name
        throw(InvalidName(name, "it is not in Unicode normalization form C; use Unicode.normalize(name, :NFC)"))
    end
    sizeof(name) > MAX_NAME_BYTES && throw(InvalidName(name, "it is longer than $MAX_NAME_BYTES bytes"))
    return nothing
end

is_white_space(char::Char) =
    char in ('\t', '\n', '\v', '\f', '\r', '\u85') || category(char) in 23:25  # Zs, Zl, Zp

# Format characters (zero-width, bidirectional overrides) make two names that look alike.
is_invisible(char::Char) = category(char) in 26:28  # Cc, Cf, Cs

"The table's name that a file of the store carries, or `nothing` if the file is not a table."
function name_of_file(file::AbstractString)
    endswith(file, SUFFIX) || return nothing
    try
        return check_name(chop(file; tail = length(SUFFIX)))
    catch error
        error isa InvalidName || rethrow()
        return nothing
    end
end

"Up to three of `known` that look like `name`: at most a third of the letters differ."
function near_names(name::AbstractString, known::Vector{String})
    scored = Tuple{Float64,String}[]
    for other in known
        a, b = lowercase(name), lowercase(other)
        likeness = 1 - edit_distance(a, b) / max(length(a), length(b), 1)
        likeness >= 0.6 && push!(scored, (-likeness, other))
    end
    return [other for (_, other) in Iterators.take(sort!(scored), 3)]
end

"How many letters to insert, remove or change to turn `a` into `b` (Wagner and Fischer)."
function edit_distance(a::AbstractString, b::AbstractString)
    from, to = collect(a), collect(b)
    row = collect(0:length(to))
    for i in eachindex(from)
        corner, row[1] = row[1], i
        for j in eachindex(to)
            cost = min(row[j] + 1, row[j+1] + 1, corner + (from[i] != to[j]))
            corner, row[j+1] = row[j+1], cost
        end
    end
    return row[end]
end
