// ExecuTorch's C++ runtime for Python on arm64, where its own Python module would need PyTorch.
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

namespace executorch::extension::threadpool {
// The package has no header of it.
class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(uint32_t threads);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool

using executorch::extension::from_blob;
using executorch::extension::Module;

// The network in a file, on one thread; null where it cannot be loaded.
extern "C" Module* shim_load(const char* path) {
  executorch::extension::threadpool::get_threadpool()->_unsafe_reset_threadpool(1);
  auto* network = new (std::nothrow) Module(path);
  if (network && network->load_forward() != executorch::runtime::Error::Ok) {
    delete network;
    return nullptr;
  }
  return network;
}

// Calls it with floats of `shape`; returns how many floats came out, after copying at most `room`
// of them to `result`. Negative: ExecuTorch's error.
extern "C" int64_t shim_call(Module* network, float* input, const int32_t* shape, int32_t rank,
                             float* result, int64_t room) {
  auto tensor = from_blob(input, std::vector<int32_t>(shape, shape + rank));
  auto outputs = network->forward(tensor);
  if (!outputs.ok()) return -static_cast<int64_t>(outputs.error());
  const auto output = outputs->at(0).toTensor();
  if (output.numel() <= room)
    std::memcpy(result, output.const_data_ptr<float>(), output.numel() * sizeof(float));
  return output.numel();
}
