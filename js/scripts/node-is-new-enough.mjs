// Succeeds where this Node can build the sidebar: what @rspack/core asks for. Plain syntax: an older one reads this too.
const [major, minor] = process.versions.node.split('.').map(Number);
process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1);
