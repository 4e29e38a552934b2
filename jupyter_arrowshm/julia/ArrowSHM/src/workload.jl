# The first steps of a session, done once while the package is precompiled: Julia then keeps what it inferred for our own
# functions (and compiled, since 1.9), and the first attach of a session waits less.

function rehearse(path::String)
    store = Store(joinpath(path, "store"))
    table = (
        a = [1, 2, 3], b = [1.5, missing, 2.5], c = ["x", "y", ""], d = [true, false, missing],
        e = [Date(2013), missing, Date(2014)], f = [DateTime(2013), DateTime(2014), missing],
        g = Int32[1, 2, 3], h = Float32[1, 2, 3], i = ["x", missing, "y"], j = [true, false, true], k = [1, missing, 3],
        l = Date[Date(2013), Date(2014), Date(2015)], m = [DateTime(2013), DateTime(2014), DateTime(2015)],
    )
    println(devnull, share("rehearsal", table; store = store))
    share("rehearsal", table; store = store, replace = true)
    found = attach("rehearsal"; store = store)
    for i in 1:length(found)
        found[i][1]
    end
    found.a, found["b"], names(found), size(found), haskey(found, :a), sum(found.a), sum(skipmissing(found.b))
    foreach(column -> show(IOContext(devnull, :limit => true), MIME("text/plain"), column), found)
    complete_code("trips[\"", @__MODULE__)
    foreach(mime -> show(devnull, mime, found), (MIME("text/plain"), MIME("text/html")))
    foreach(mime -> show(devnull, mime, tables(; store = store)), (MIME("text/plain"), MIME("text/html")))
    for f in (() -> attach("reharsal"; store = store), () -> attach("a b"; store = store))
        try
            f()
        catch error
            showerror(devnull, error)
        end
    end
    briefly(() -> attach("rehearsal"; store = store))
    prepare_detach(Module(), :trips, () -> found)
    unshare("rehearsal"; store = store)
    foreach(close, values(TOKEN.files))
end

# Before 1.9 Julia keeps no machine code, and reads what it keeps each time the package is loaded: 0.25 s for everything
# rehearsed here. So there it only keeps the way to the first column.
function prepare_attach()
    precompile(attach, (String,))
    precompile(getindex, (SharedTable, Int))
    precompile(getproperty, (SharedTable, Symbol))
    for S in (Int64, Float64, Int32)
        precompile(Buffer{S}, (Vector{UInt8}, Int, Int))
    end
end

if is_precompiling() && Sys.islinux()
    if VERSION >= v"1.9"
        # Nobody here reads what the macros print.
        precompile(share_aloud, (String, Any))
        precompile(attach_aloud, (Module, Symbol, String))
        precompile(finish_detach, (String, String, UInt64))
        try
            caching_all(() -> mktempdir(rehearse))
        catch  # no place to write, no locks: the package still works, or says why when it is used
        end
        # This state belongs to this process, not to those that load the package.
        empty!(TOKEN.files)
        empty!(MAPPINGS)
        empty!(STORES)
        TOKEN.id = ""
    else
        prepare_attach()
    end
end
