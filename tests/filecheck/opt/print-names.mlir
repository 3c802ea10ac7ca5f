// Values are named after the layers they come from, unless one does not want them.

// RUN: niwaki-opt %s | FileCheck %s
// RUN: niwaki-opt %s --no-print-names | FileCheck %s --check-prefix=NUMBERS

// CHECK:   %layer1.relu = math.absf
// NUMBERS: %0 = math.absf
func.func @f(%x: f32) -> f32 {
  %y = math.absf %x : f32 loc("layer1.relu")
  return %y : f32
}
