// Runs a network once, and prints what it gives.
//
//   run FOLDER DEVICE INPUT...
//   run exported local-sync 1x1x28x28xf32=0.5

#include "niwaki.h"

#include <stdio.h>

// Calls the network with inputs that are written as IREE writes them: a shape, a type and values.
static iree_status_t call_and_print(iree_runtime_session_t* session, int count, char** inputs) {
  iree_runtime_call_t call;
  IREE_RETURN_IF_ERROR(iree_runtime_call_initialize_by_name(
      session, iree_make_cstring_view("module.main"), &call));
  iree_status_t status = iree_ok_status();
  for (int i = 0; i < count && iree_status_is_ok(status); ++i) {
    // An application has its data in memory: iree_hal_buffer_view_allocate_buffer_copy.
    iree_hal_buffer_view_t* input = NULL;
    status = iree_hal_buffer_view_parse(iree_make_cstring_view(inputs[i]),
                                        iree_runtime_session_device(session),
                                        iree_runtime_session_device_allocator(session), &input);
    if (!iree_status_is_ok(status)) break;
    status = iree_runtime_call_inputs_push_back_buffer_view(&call, input);
    iree_hal_buffer_view_release(input);
  }
  if (iree_status_is_ok(status)) status = iree_runtime_call_invoke(&call, /*flags=*/0);
  while (iree_status_is_ok(status) &&
         iree_vm_list_size(iree_runtime_call_outputs(&call)) > 0) {
    iree_hal_buffer_view_t* output = NULL;
    status = iree_runtime_call_outputs_pop_front_buffer_view(&call, &output);
    if (!iree_status_is_ok(status)) break;
    status = iree_hal_buffer_view_fprint(stdout, output, /*max_element_count=*/64,
                                         iree_runtime_session_host_allocator(session));
    fputc('\n', stdout);
    iree_hal_buffer_view_release(output);
  }
  iree_runtime_call_deinitialize(&call);
  return status;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: run FOLDER DEVICE INPUT...\n");
    return 2;
  }
  char module[4096], weights[4096];
  snprintf(module, sizeof(module), "%s/module.vmfb", argv[1]);
  snprintf(weights, sizeof(weights), "%s/weights.irpa", argv[1]);

  iree_runtime_instance_options_t options;
  iree_runtime_instance_options_initialize(&options);
  iree_runtime_instance_options_use_all_available_drivers(&options);
  iree_runtime_instance_t* instance = NULL;
  iree_runtime_session_t* session = NULL;
  iree_status_t status =
      iree_runtime_instance_create(&options, iree_allocator_system(), &instance);
  if (iree_status_is_ok(status)) {
    status = niwaki_open(instance, argv[2], module, weights, &session);
  }
  if (iree_status_is_ok(status)) status = call_and_print(session, argc - 3, argv + 3);
  if (session) iree_runtime_session_release(session);
  if (instance) iree_runtime_instance_release(instance);
  if (iree_status_is_ok(status)) return 0;
  iree_status_fprint(stderr, status);
  iree_status_free(status);
  return 1;
}
