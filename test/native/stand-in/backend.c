// A GPU backend that is none: lists devices that compute with the CPU, or do what a broken driver does. GGML_STAND_IN says what its
// devices do when they compute, one word each: works, aborts, hangs, zeros, refuses (when memory is asked for). Or, of the whole
// backend: dies, stays away.
#include "ggml-backend-impl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 4

struct stand_in {
    char name[16];
    char id[16];
    char does[16];
    struct ggml_backend_device device;
    struct ggml_backend_buffer_type memory;
};

static struct stand_in all[MOST];
static size_t count;

static struct stand_in * of(ggml_backend_dev_t device) { return device->context; }

static ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, size_t size) {
    if (!strcmp(of(type->device)->does, "refuses")) return NULL;
    ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
    if (buffer) buffer->buft = type;
    return buffer;
}

static const char * memory_name(ggml_backend_buffer_type_t type) { return of(type->device)->name; }
static size_t memory_alignment(ggml_backend_buffer_type_t type) { return 64; }
static bool memory_is_host(ggml_backend_buffer_type_t type) { return true; }

static const char * backend_name(ggml_backend_t backend) { return of(backend->device)->name; }

static void backend_free(ggml_backend_t backend) {
    ggml_backend_free(backend->context);
    free(backend);
}

static enum ggml_status compute(ggml_backend_t backend, struct ggml_cgraph * graph) {
    const char * does = of(backend->device)->does;
    if (!strcmp(does, "aborts")) {
        fprintf(stderr, "CUDA error: the provided PTX was compiled with an unsupported toolchain.\n");
        abort();
    }
    if (!strcmp(does, "hangs")) raise(SIGSTOP);
    if (strcmp(does, "zeros")) return ggml_backend_graph_compute(backend->context, graph);
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        struct ggml_tensor * node = ggml_graph_node(graph, i);
        if (node->type == GGML_TYPE_F32 && !node->view_src) memset(node->data, 0, ggml_nbytes(node));
    }
    return GGML_STATUS_SUCCESS;
}

static const char * device_name(ggml_backend_dev_t device) { return of(device)->name; }
static const char * device_description(ggml_backend_dev_t device) { return "Stand-in card"; }
static enum ggml_backend_dev_type device_type(ggml_backend_dev_t device) { return GGML_BACKEND_DEVICE_TYPE_GPU; }
static void device_memory(ggml_backend_dev_t device, size_t * free, size_t * total) { *free = *total = 1 << 30; }
static ggml_backend_buffer_type_t device_buffers(ggml_backend_dev_t device) { return &of(device)->memory; }
static bool device_supports(ggml_backend_dev_t device, const struct ggml_tensor * op) { return true; }
static bool device_takes(ggml_backend_dev_t device, ggml_backend_buffer_type_t type) { return ggml_backend_buft_is_host(type); }

static void device_props(ggml_backend_dev_t device, struct ggml_backend_dev_props * props) {
    memset(props, 0, sizeof(*props));
    props->name        = device_name(device);
    props->description = device_description(device);
    props->type        = device_type(device);
    props->device_id   = of(device)->id;
    device_memory(device, &props->memory_free, &props->memory_total);
}

// One thread: several would wait for each other on a busy machine.
static ggml_backend_t cpu(void) {
    ggml_backend_t backend               = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL);
    ggml_backend_reg_t reg               = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
    ggml_backend_set_n_threads_t threads = ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
    threads(backend, 1);
    return backend;
}

static ggml_backend_t device_init(ggml_backend_dev_t device, const char * params) {
    static uint8_t guid[16]     = "stand-in backend";
    struct ggml_backend backend = { 0 };
    backend.guid                = &guid;
    backend.device              = device;
    backend.context             = cpu();
    backend.iface.get_name      = backend_name;
    backend.iface.free          = backend_free;
    backend.iface.graph_compute = compute;
    ggml_backend_t out          = malloc(sizeof(backend));
    memcpy(out, &backend, sizeof(backend));
    return out;
}

static const char * reg_name(ggml_backend_reg_t reg) { return "CUDA"; }
static size_t reg_count(ggml_backend_reg_t reg) { return count; }
static ggml_backend_dev_t reg_device(ggml_backend_reg_t reg, size_t index) { return &all[index].device; }
static void * reg_address(ggml_backend_reg_t reg, const char * name) { return NULL; }

static struct ggml_backend_reg reg = {
    GGML_BACKEND_API_VERSION,
    { reg_name, reg_count, reg_device, reg_address },
    NULL,
};

GGML_BACKEND_API ggml_backend_reg_t ggml_backend_init(void);

ggml_backend_reg_t ggml_backend_init(void) {
    const char * given = getenv("GGML_STAND_IN");
    if (!given || !strcmp(given, "stays away")) return NULL;
    if (!strcmp(given, "dies")) abort();
    char words[128];
    snprintf(words, sizeof(words), "%s", given);
    for (char * word = strtok(words, ","); word && count < MOST; word = strtok(NULL, ","), count++) {
        struct stand_in * one = &all[count];
        snprintf(one->name, sizeof(one->name), "CUDA%d", (int)count);
        snprintf(one->id, sizeof(one->id), "stand-in-%d", (int)count);
        snprintf(one->does, sizeof(one->does), "%s", word);
        one->device.reg                     = &reg;
        one->device.context                 = one;
        one->device.iface.get_name          = device_name;
        one->device.iface.get_description   = device_description;
        one->device.iface.get_memory        = device_memory;
        one->device.iface.get_type          = device_type;
        one->device.iface.get_props         = device_props;
        one->device.iface.init_backend      = device_init;
        one->device.iface.get_buffer_type   = device_buffers;
        one->device.iface.supports_op       = device_supports;
        one->device.iface.supports_buft     = device_takes;
        one->memory.device                  = &one->device;
        one->memory.iface.get_name          = memory_name;
        one->memory.iface.alloc_buffer      = alloc_buffer;
        one->memory.iface.get_alignment     = memory_alignment;
        one->memory.iface.is_host           = memory_is_host;
    }
    return &reg;
}
