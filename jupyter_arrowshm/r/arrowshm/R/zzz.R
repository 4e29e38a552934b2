.onLoad <- function(libname, pkgname) {
  session$started_in <- getwd()
  session$version <- as.character(getNamespaceVersion(pkgname))
  session$nanoarrow <- as.character(getNamespaceVersion("nanoarrow"))
}
