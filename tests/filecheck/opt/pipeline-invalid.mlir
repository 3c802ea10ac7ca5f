// Mistakes in a pipeline: one line that names what is wrong, and exit code 1.

// RUN: not niwaki-opt %s --pass-pipeline='canonicalize' 2>&1 | FileCheck %s --check-prefix=FORM
// FORM: error: pipeline 'canonicalize' must have the form builtin.module(pass,pass,...)

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-reorder)' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown pass or option in 'sparse-pattern-reorder': Niwaki's passes are sparse-pattern-{{.+}}, sparse-pattern-assign-layouts, sparse-pattern-check-memory, sparse-pattern-compact-storage,

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(canonicalize{depth=3})' 2>&1 | FileCheck %s --check-prefix=FOREIGN
// FOREIGN: error: unknown pass or option in 'canonicalize{depth=3}': Niwaki's passes are

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-emit-iree{scope=1})' 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: error: pass 'sparse-pattern-emit-iree' has no option 'scope': it has embed-constants

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-raise-layers{all=true})' 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: pass 'sparse-pattern-raise-layers' has no option 'all': it has none

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-emit-iree{embed-constants=1})' 2>&1 | FileCheck %s --check-prefix=VALUE
// VALUE: error: pass 'sparse-pattern-emit-iree' needs bool for option 'embed-constants', got '1'

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-emit-iree{embed-constants})' 2>&1 | FileCheck %s --check-prefix=NO-VALUE
// NO-VALUE: error: option 'embed-constants' of pass 'sparse-pattern-emit-iree' needs a value: write embed-constants=VALUE

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-emit-iree{embed-constants=true embed-constants=false})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TWICE
// TWICE: error: option 'embed-constants' of pass 'sparse-pattern-emit-iree' is given twice

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-raise-layers(cse))' 2>&1 | FileCheck %s --check-prefix=BRACES
// BRACES: error: pass 'sparse-pattern-raise-layers' takes options in braces, not '(cse)'

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(func.func(cse, sparse-pattern-raise-layers))' 2>&1 | FileCheck %s --check-prefix=NESTED
// NESTED: error: pass 'sparse-pattern-raise-layers' runs on a module and cannot be nested in 'func.func'

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(func.func(cse)' 2>&1 | FileCheck %s --check-prefix=UNCLOSED
// UNCLOSED: error: pipeline has an unclosed bracket in 'func.func(cse'

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(cse))' 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// UNMATCHED: error: pipeline has an unmatched ')' after 'cse'

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(cse,,canonicalize)' 2>&1 | FileCheck %s --check-prefix=COMMA
// COMMA: error: pipeline has a comma too many in 'cse,,canonicalize'
