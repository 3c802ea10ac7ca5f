// A network of Niwaki's in a C program, by IREE's C API.
//
// A bundle is a zip file of stored members: `unzip net.niwaki` gives module.vmfb and weights.irpa.
// So does the folder that `niwaki deploy net.niwaki --export FOLDER` writes.

#ifndef NIWAKI_H_
#define NIWAKI_H_

#include "iree/io/file_handle.h"
#include "iree/io/formats/parser_registry.h"
#include "iree/io/parameter_index.h"
#include "iree/io/parameter_index_provider.h"
#include "iree/modules/io/parameters/module.h"
#include "iree/runtime/api.h"

// Gives `session` the weights in a file: the parameters that a module reads from scope "model".
// They are not read into memory but mapped, so processes share them.
static inline iree_status_t niwaki_append_weights(iree_runtime_session_t* session,
                                                  const char* path) {
  iree_allocator_t host = iree_runtime_session_host_allocator(session);
  iree_vm_instance_t* instance =
      iree_runtime_instance_vm_instance(iree_runtime_session_instance(session));
  iree_string_view_t name = iree_make_cstring_view(path);
  iree_io_file_handle_t* file = NULL;
  iree_io_parameter_index_t* index = NULL;
  iree_io_parameter_provider_t* provider = NULL;
  iree_vm_module_t* module = NULL;
  iree_status_t status = iree_io_file_handle_open(
      IREE_IO_FILE_MODE_READ | IREE_IO_FILE_MODE_RANDOM_ACCESS | IREE_IO_FILE_MODE_SHARE_READ,
      name, host, &file);
  if (iree_status_is_ok(status)) status = iree_io_parameter_index_create(host, &index);
  if (iree_status_is_ok(status)) status = iree_io_parse_file_index(name, file, index, host);
  if (iree_status_is_ok(status)) {
    status = iree_io_parameter_index_provider_create(
        IREE_SV("model"), index,
        IREE_IO_PARAMETER_INDEX_PROVIDER_DEFAULT_MAX_CONCURRENT_OPERATIONS, host, &provider);
  }
  if (iree_status_is_ok(status)) {
    status = iree_io_parameters_module_create(instance, 1, &provider, host, &module);
  }
  if (iree_status_is_ok(status)) status = iree_runtime_session_append_module(session, module);
  // Each holds on to what it needs of the ones before.
  if (module) iree_vm_module_release(module);
  if (provider) iree_io_parameter_provider_release(provider);
  if (index) iree_io_parameter_index_release(index);
  if (file) iree_io_file_handle_release(file);
  return status;
}

// Opens a network: `device` is "local-sync" (the caller's thread), "local-task" (a pool of threads)
// or "vulkan". The caller releases the session, which is for one thread at a time.
static inline iree_status_t niwaki_open(iree_runtime_instance_t* instance, const char* device,
                                        const char* module, const char* weights,
                                        iree_runtime_session_t** out_session) {
  iree_runtime_session_options_t options;
  iree_runtime_session_options_initialize(&options);
  iree_hal_device_t* created = NULL;
  iree_runtime_session_t* session = NULL;
  IREE_RETURN_IF_ERROR(iree_runtime_instance_try_create_default_device(
      instance, iree_make_cstring_view(device), &created));
  iree_status_t status = iree_runtime_session_create_with_device(
      instance, &options, created, iree_runtime_instance_host_allocator(instance), &session);
  iree_hal_device_release(created);
  // Weights come first: the module looks its parameters up when it is appended.
  if (iree_status_is_ok(status)) status = niwaki_append_weights(session, weights);
  if (iree_status_is_ok(status)) {
    status = iree_runtime_session_append_bytecode_module_from_file(session, module);
  }
  if (iree_status_is_ok(status)) {
    *out_session = session;
  } else if (session) {
    iree_runtime_session_release(session);
  }
  return status;
}

#endif  // NIWAKI_H_
