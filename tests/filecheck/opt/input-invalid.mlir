// Files that cannot be read or parsed.

// RUN: not niwaki-opt %t.missing 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: cannot read '{{.*}}.missing': No such file or directory

// RUN: not niwaki-opt %S 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: error: cannot read '{{.*}}': Is a directory

// RUN: %python -c 'import sys; sys.stdout.buffer.write(bytes(range(128, 256)))' > %t.bin
// RUN: not niwaki-opt %t.bin 2>&1 | FileCheck %s --check-prefix=BINARY
// BINARY: error: cannot read '{{.*}}.bin': it is no UTF-8 text

// Messages of the parser have the file's name and the line, in a part of a split file too.
// RUN: not niwaki-opt %s --split-input-file 2>&1 | FileCheck %s --check-prefix=PARSE
// PARSE: input-invalid.mlir:22: error: custom op 'func.fun' is unknown
// PARSE: input-invalid.mlir:28: error: op expects exactly 1 operands, but got 0

// The parts without mistakes are printed all the same.
// RUN: not niwaki-opt %s --split-input-file 2>/dev/null | FileCheck %s --check-prefix=REST
// REST: func.func @last

func.fun @first() { return }

// -----

// A comment.

"sparse_pattern.yield"() : () -> ()

// -----

func.func @last() { return }
