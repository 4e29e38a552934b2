.onLoad <- function(libname, pkgname) {
  session$started_in <- getwd()
  session$version <- as.character(getNamespaceVersion(pkgname))
  session$nanoarrow <- as.character(getNamespaceVersion("nanoarrow"))
}

# Where somebody types: at a prompt, and in a notebook.
.onAttach <- function(libname, pkgname) {
  if (!interactive() && !"IRkernel" %in% loadedNamespaces()) return()
  session$completer <- utils::rc.getOption("custom.completer")
  utils::rc.options(custom.completer = complete_names)
}

.onDetach <- function(libpath) {
  if (identical(utils::rc.getOption("custom.completer"), complete_names)) utils::rc.options(custom.completer = session$completer)
}
