"""src/intel_ml/learning"""
