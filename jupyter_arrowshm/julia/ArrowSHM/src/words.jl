# Sizes and times as people read them: "1.2 GB", "2 min ago". The words are those of jupyter_arrowshm/words.py.

const UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")

"`nbytes` in decimal units with at most three digits: `\"42.3 MB\"`."
function words_size(nbytes::Integer)
    value, unit = Float64(nbytes), 1
    while abs(value) >= 999.5 && unit < length(UNITS)
        value, unit = value / 1000, unit + 1
    end
    unit == 1 && return value == 1 ? "1 byte" : "$(round(Int, value)) bytes"
    shown = abs(value) >= 99.95 ? string(round(Int, value)) : string(round(value; digits = 1))
    return "$shown $(UNITS[unit])"
end

"How long ago `since` (UTC) was. A time in the future (a clock was set back) is \"just now\"."
function words_age(since::DateTime, now::DateTime = Dates.now(Dates.UTC))
    seconds = Dates.value(now - since) / 1000
    unit, name = seconds < 60 ? (1, "s") : seconds < 3600 ? (60, "min") : seconds < 86400 ? (3600, "h") : (86400, "day")
    number = floor(Int, seconds / unit)
    number < 1 && return "just now"
    return "$number $(name == "day" && number > 1 ? "days" : name) ago"
end

"Text from somebody else, made safe for a terminal, where raw control characters could do anything."
printable(text::AbstractString) =
    all(isprint, text) ? String(text) : join(isprint(char) ? char : escape_string(string(char)) for char in text)

"`words_count(336776, \"row\")` is `\"336,776 rows\"`."
words_count(number::Integer, noun::String) = "$(words_number(number)) $noun$(number == 1 ? "" : "s")"

words_shape(rows::Integer, columns::Integer) = "$(words_count(rows, "row")) x $(words_count(columns, "column"))"

"`336776` is `\"336,776\"`."
function words_number(number::Integer)
    text = string(number)
    at = findfirst(isdigit, text)
    while (at2 = lastindex(text) - 3 - 4 * count(==(','), text)) >= at
        text = text[1:at2] * "," * text[at2+1:end]
    end
    return text
end
